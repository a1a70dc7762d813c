/** @module What a screen shows of a dead letter: the failed work item, its attempts, its path and what stands. Pure. */
import type { Letter, SchemasAnswer } from "../../../runtime/answers.ts";
import type { Json } from "../../../runtime/faults.ts";
import { undoneStops } from "../../../runtime/look.ts";
import { isList, isObject, type JsonObject } from "./json.ts";
import type { Schema } from "./schema-field.ts";

/** One failed attempt. */
export interface LetterAttempt {
  readonly attempt: number;
  readonly code: string;
  readonly message: string;
}

/** A step of the history. */
export interface LetterStep {
  readonly atMs: number;
  readonly what: string;
  readonly stop: string;
  readonly agent: string;
  readonly code: string | undefined;
}

/** A dead letter for a screen. */
export interface LetterShown {
  readonly stop: string | undefined;
  readonly principal: string | undefined;
  /** Who failed: an agent, a nested route, or the task itself. */
  readonly target: string;
  readonly kind: "do" | "undo" | "task" | "other";
  readonly input: Json | undefined;
  readonly code: string;
  readonly message: string;
  /** What the handler threw. */
  readonly cause: string | undefined;
  /** What to do, in the words of the author of a code of the system's own. */
  readonly fix: string | undefined;
  readonly attempts: readonly LetterAttempt[];
  readonly path: readonly string[];
  readonly left: readonly string[];
  /** An edited input is taken as it is, because it was handed off. */
  readonly isWhole: boolean;
  /** Stops whose effects were undone: a redrive begins at the first of them. */
  readonly undone: readonly string[];
  readonly stands: readonly string[];
  readonly steps: readonly LetterStep[];
  readonly label: readonly string[];
}

/** What a dead letter holds, as far as this page knows its form. */
export function letterShown(letter: Pick<Letter, "letter" | "code" | "message">): LetterShown {
  const content = objectAt(letter, "letter");
  const original = objectAt(content, "original");
  const fault = objectAt(content, "fault");
  const target = objectAt(original, "target");
  const steps = objectsAt(content, "history").map((one) => ({
    atMs: Number(one["atMs"] ?? 0),
    what: textAt(one, "what") ?? "",
    stop: textAt(one, "stop") ?? "",
    agent: textAt(one, "agent") ?? "",
    code: textAt(one, "code"),
  }));
  const kind = textAt(original, "kind");
  return {
    stop: textAt(content, "stop"),
    principal: textAt(content, "principal"),
    target: textAt(target, "agent") ?? textAt(target, "route") ?? "the task",
    kind: kind === "do" || kind === "undo" || kind === "task" ? kind : "other",
    input: original["input"],
    code: letter.code ?? textAt(fault, "code") ?? "unknown",
    message: letter.message ?? textAt(fault, "message") ?? "",
    cause: textAt(fault, "cause"),
    fix: textAt(fault, "fix"),
    attempts: objectsAt(content, "attempts").map((one) => {
      const its = objectAt(one, "fault");
      return { attempt: Number(one["attempt"] ?? 0), code: textAt(its, "code") ?? "", message: textAt(its, "message") ?? "" };
    }),
    isWhole: original["whole"] === true,
    path: textsAt(content, "path"),
    left: textsAt(content, "left"),
    stands: textsAt(content, "stands"),
    undone: undoneStops(steps),
    steps,
    label: textsAt(original, "label"),
  };
}

/**
 * The schema of the input that a redrive may replace: of the failed agent or nested route, of the route for the whole task. Undefined:
 * nothing may be replaced, or the system does not know it.
 */
export function schemaOfInput(shown: LetterShown, route: string | undefined, schemas: SchemasAnswer | undefined): Schema | undefined {
  if (schemas === undefined || shown.kind === "undo" || shown.kind === "other") return undefined;
  if (shown.kind === "task") return route === undefined ? undefined : schemas.routes[route]?.input;
  return schemas.agents[shown.target]?.input ?? schemas.routes[shown.target]?.input;
}

/** Whether a redrive may replace the input: not that of a compensation, and a nested route is decided by its parent's dead letter. */
export function isEditable(shown: LetterShown, letter: Pick<Letter, "parent">): boolean {
  return (shown.kind === "do" || shown.kind === "task") && letter.parent === undefined;
}

function objectAt(value: object, key: string): JsonObject {
  const found: unknown = Object.hasOwn(value, key) ? Reflect.get(value, key) : undefined;
  return isObject(found) ? found : {};
}

function textAt(value: JsonObject, key: string): string | undefined {
  const found = value[key];
  return typeof found === "string" && found !== "" ? found : undefined;
}

function textsAt(value: JsonObject, key: string): readonly string[] {
  const found = value[key];
  return isList(found) ? found.map(String) : [];
}

function objectsAt(value: JsonObject, key: string): readonly JsonObject[] {
  const found = value[key];
  return isList(found) ? found.filter(isObject) : [];
}
