/**
 * @module What is known about values inside a part of a condition, such as the right side of `plan != null && plan.nights > 2`. Pure.
 */
import type { Node } from "./parse.ts";

/** By path: with `there` a property is present, with `value` it is also not null. */
export type Facts = ReadonlyMap<string, "there" | "value">;

/** Returns the path of names and literal keys, if a part of a condition is one. */
export function pathOf(node: Node): string | undefined {
  if (node.op === "name") return node.name;
  if (node.op === "get") return joined(pathOf(node.of), node.key);
  return node.op === "index" && node.index.op === "literal" ? joined(pathOf(node.of), node.index.value) : undefined;
}

function joined(path: string | undefined, key: unknown): string | undefined {
  return path === undefined ? undefined : `${path} ${JSON.stringify(key)}`;
}

/** Adds the facts that follow if a part of a condition has the result `outcome`. */
export function learn(facts: Facts, node: Node, outcome: boolean): Facts {
  const found = new Map(facts);
  collect(found, node, outcome);
  return found;
}

/** Removes the facts about a name that now means something else. */
export function forget(facts: Facts, name: string): Facts {
  return new Map([...facts].filter(([path]) => path !== name && !path.startsWith(`${name} `)));
}

function collect(found: Map<string, "there" | "value">, node: Node, outcome: boolean): void {
  if (node.op === "not") return collect(found, node.of, !outcome);
  if ((node.op === "and" && outcome) || (node.op === "or" && !outcome)) {
    collect(found, node.left, outcome);
    collect(found, node.right, outcome);
  } else if (node.op === "has" && outcome) addPresent(found, node.of);
  else if (node.op === "binary" && (node.sign === "==" || node.sign === "!=")) {
    const isEqual = (node.sign === "==") === outcome;
    addCompared(found, node.left, node.right, isEqual);
    addCompared(found, node.right, node.left, isEqual);
  }
}

/** A path that equals a literal, or does not equal null, is a value. */
function addCompared(found: Map<string, "there" | "value">, node: Node, other: Node, isEqual: boolean): void {
  const path = pathOf(node);
  if (path !== undefined && other.op === "literal" && (other.value === null) !== isEqual) found.set(path, "value");
}

/** If a property is present, each step of the path to it is an object. */
function addPresent(found: Map<string, "there" | "value">, node: Node): void {
  const path = pathOf(node);
  if (path !== undefined && found.get(path) !== "value") found.set(path, "there");
  let current = node;
  while (current.op === "get") {
    current = current.of;
    const above = pathOf(current);
    if (above !== undefined) found.set(above, "value");
  }
}
