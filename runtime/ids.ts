/**
 * @module Names and ids: their form, and how work ids are built.
 *
 * Work id = process, run, stop, item index, visit, kind. It is the same over every attempt, restart and host. Agents
 * deduplicate by it, and external effects get it as their idempotency key.
 */
import { LIMITS } from "./limits.ts";
import { hashText } from "./canonical.ts";
import { Fault } from "./faults.ts";

const ID_PATTERN = /^[A-Za-z0-9_.-]+$/;
const NAME_PATTERN = /^[A-Za-z][A-Za-z0-9_-]*$/;

/** Whether a text is a valid id. `.` and `..` are not, since they have a meaning in a URL path. */
export function isId(text: string): boolean {
  if (text === "." || text === "..") return false;
  return text.length >= 1 && text.length <= LIMITS.idLengthMax && ID_PATTERN.test(text);
}

/**
 * Returns the id.
 * @throws `id.invalid`
 */
export function requireId(text: string, what: string): string {
  if (!isId(text))
    throw new Fault(
      "id.invalid",
      `${what} ${JSON.stringify(text.slice(0, 160))} is not an id of 1 to ${LIMITS.idLengthMax} characters A-Z a-z 0-9 _ . -`,
    );
  return text;
}

/** Whether a text may name an agent, a route, a stop or a system. Dots are excluded: Dapr app ids and topics are built from it. */
export function isName(text: string): boolean {
  return text.length <= LIMITS.idLengthMax / 2 && NAME_PATTERN.test(text);
}

/**
 * Encodes any text as an actor id. A valid id stays unchanged; any other text becomes `x-` and its hash, so that two texts never share an
 * actor. A text that begins with `x-` is hashed too, or it could collide with another text's encoding.
 */
export function encodeActorId(text: string): string {
  if (isId(text) && !text.startsWith("x-")) return text;
  return `x-${hashText(text)}`;
}

/** The work id of a stop. `item` is the index in a `forEach` (0 elsewhere); `visit` starts at 1 and grows with each hand-off. */
export function stopWorkId(process: string, run: number, stop: string, item: number, visit: number): string {
  return `${process}:${run}:${stop}:${item}:${visit}`;
}

/** The parts of the work id of a stop, or of the stop that an ask, a hand-off or a compensation belongs to. */
export function stopWorkParts(work: string): {
  readonly process: string;
  readonly run: number;
  readonly stop: string;
  readonly item: number;
} {
  const [process = "", run = "0", stop = "", item = "0"] = work.split(":");
  return { process, run: Number(run), stop, item: Number(item) };
}

/** The work id of the `index`-th ask (from 0) of a work item, and of its visit after hand-offs. */
export function askWorkId(parent: string, index: number, visit: number): string {
  return `${parent}/ask${index}:${visit}`;
}

/** The work id of the compensation of a work item. */
export function undoWorkId(work: string): string {
  return `${work}/undo`;
}

/** Characters of the hash of an input in the key of a call. */
const INPUT_HASH_CHARS = 16;

/** Returns what all calls of one tool with one input share: the tool and a hash of the input. */
export function callPrefix(tool: string, inputHash: string): string {
  return `${tool}/${inputHash.slice(0, INPUT_HASH_CHARS)}`;
}

/**
 * Returns the key of a tool call or a wait within its work item: its prefix, and how often the prefix occurred before (from 0).
 * So parallel chains of a handler never receive each other's results.
 */
export function callKey(prefix: string, count: number): string {
  return `${prefix}/${count}`;
}

/** Returns the idempotency key of a call (by its {@link callKey}) or a step (by its name); constant over attempts, restarts and hosts. */
export function idempotencyKey(work: string, key: string): string {
  return `${work}/${key}`;
}

/** The message id: work id and attempt. */
export function messageId(work: string, attempt: number): string {
  return `${work}:${attempt}`;
}

/** The id of the child process of a nested route. It is derived, so a repeated request reaches the same process. */
export function childProcessId(work: string): string {
  return `child-${hashText(work).slice(0, 40)}`;
}
