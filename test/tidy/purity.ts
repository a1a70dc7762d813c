/** @module What a decision must be given and may not fetch: time, randomness, ids, timers, the network, the Node process. */
import ts from "typescript";
import { type Check, overNodes, type Project } from "./project.ts";

const TIME = "take the time as an argument";
const RANDOM = "take the random number or id as an argument";
const TIMER = "make it an effect, or a reminder";
const OUTSIDE = "make it an effect";

/** Globals with effects, and what to use instead. `Date.parse` and `Date.UTC` only compute. */
const BANNED: Readonly<Record<string, string>> = {
  Date: TIME,
  performance: TIME,
  Temporal: TIME,
  crypto: RANDOM,
  setTimeout: TIMER,
  setInterval: TIMER,
  setImmediate: TIMER,
  queueMicrotask: TIMER,
  fetch: OUTSIDE,
  WebSocket: OUTSIDE,
  process: "take the value as an argument",
  console: "return it as an event, or throw a Fault",
  globalThis: "take the value as an argument",
  require: "import it",
  eval: "write it as data",
  Function: "write it as data",
};

const COMPUTES = ["Date.parse", "Date.UTC"];

/** `runtime/` performs no effects. */
export const purity: Check = (project) =>
  overNodes(
    project,
    (path) => path.startsWith("runtime/"),
    (node) => impure(project, node),
  );

function impure(project: Project, node: ts.Node): string | undefined {
  if (
    ts.isStringLiteral(node) &&
    node.text.startsWith("node:") &&
    (ts.isImportDeclaration(node.parent) || ts.isExportDeclaration(node.parent))
  )
    return `${node.text} in runtime/: ${OUTSIDE}`;
  if (ts.isAwaitExpression(node)) return "await in runtime/: a decision is computed, not waited for";
  if (!ts.isIdentifier(node)) return undefined;
  const member =
    ts.isPropertyAccessExpression(node.parent) && node.parent.expression === node ? `${node.text}.${node.parent.name.text}` : node.text;
  if (member === "Math.random" && project.isGlobal(node)) return `Math.random in runtime/: ${RANDOM}`;
  const instead = Object.hasOwn(BANNED, node.text) ? BANNED[node.text] : undefined;
  if (instead === undefined || COMPUTES.includes(member) || !project.isGlobal(node)) return undefined;
  return `${member} in runtime/: ${instead}`;
}
