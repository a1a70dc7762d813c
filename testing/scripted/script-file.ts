/** @module Reads a script from YAML: a fault names the file, the line and what is expected there. Pure. */
import { isNode, LineCounter, parseDocument, type Document } from "yaml";
import type { z } from "zod";
import { Fault } from "../../runtime/faults.ts";
import { placeText } from "../../runtime/place.ts";
import { type Script, ScriptContent } from "./script.ts";

/** Aliases that one script may resolve, so that a small file cannot become a huge one. */
const ALIASES_MAX = 1_000;

/** Parses the text of a script file. @throws `definition.invalid` with file and line */
export function parseScript(text: string, file: string): Script {
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false });
  const [flaw] = document.errors;
  if (flaw !== undefined) {
    const { line, col } = lines.linePos(flaw.pos[0]);
    throw new Fault("definition.invalid", `${file}:${line}:${col}: ${flaw.message}`);
  }
  const parsed = ScriptContent.safeParse(contentOf(document, file));
  const lineAt = (path: readonly PropertyKey[], key?: string): number => lines.linePos(offsetAt(document, path, key)).line;
  if (!parsed.success) {
    const { path, text: what, key } = firstOf(parsed.error.issues);
    const place = path.length === 0 ? "" : `${placeText(path.map((part) => (typeof part === "symbol" ? String(part) : part)))}: `;
    throw new Fault("definition.invalid", `${file}:${lineAt(path, key)}: ${place}${what}`);
  }
  return { file, rules: parsed.data.rules.map((rule, index) => ({ ...rule, place: `${file}:${lineAt(["rules", index])}` })) };
}

/** Checks a script that is given as a value. @throws `definition.invalid` */
export function checkScript(content: ScriptContent): Script {
  const parsed = ScriptContent.safeParse(content);
  if (parsed.success) return { file: "the script", rules: parsed.data.rules.map((rule, index) => ({ ...rule, place: `rules[${index}]` })) };
  const { path, text } = firstOf(parsed.error.issues);
  throw new Fault(
    "definition.invalid",
    `the script: ${placeText(path.map((part) => (typeof part === "symbol" ? String(part) : part)))}: ${text}`,
  );
}

function contentOf(document: Document, file: string): unknown {
  try {
    return document.toJS({ maxAliasCount: ALIASES_MAX });
  } catch (error) {
    throw new Fault("definition.invalid", `${file}: ${error instanceof Error ? error.message : String(error)}`);
  }
}

interface Problem {
  readonly path: readonly PropertyKey[];
  readonly text: string;
  /** A key that is not known there. */
  readonly key?: string | undefined;
}

function firstOf(issues: readonly z.core.$ZodIssue[]): Problem {
  const [issue] = issues;
  if (issue === undefined) return { path: [], text: "is not a script" };
  if (issue.code === "unrecognized_keys") {
    const [key = ""] = issue.keys;
    return { path: issue.path, text: `unknown key ${JSON.stringify(key)}`, key };
  }
  return { path: issue.path, text: issue.message };
}

/** The offset of the deepest node of a path that exists. */
function offsetAt(document: Document, path: readonly PropertyKey[], key?: string): number {
  for (let length = path.length; length > 0; length -= 1) {
    const node: unknown = document.getIn(path.slice(0, length), true);
    if (!isNode(node)) continue;
    const at = key === undefined ? undefined : keyOffset(node, key);
    return at ?? node.range?.[0] ?? 0;
  }
  return keyOffset(document.contents, key ?? "") ?? 0;
}

function keyOffset(node: unknown, key: string): number | undefined {
  if (typeof node !== "object" || node === null || !("items" in node) || !Array.isArray(node.items)) return undefined;
  for (const item of node.items as readonly unknown[]) {
    const name: unknown = typeof item === "object" && item !== null && "key" in item ? item.key : undefined;
    if (isNode(name) && "value" in name && name.value === key) return name.range?.[0];
  }
  return undefined;
}
