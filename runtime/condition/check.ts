/**
 * @module Checks a condition against the types of the values that it reads. Pure.
 *
 * A condition that passes cannot fail for the type of a value that fits its schema. Rejected are a missing name or property, null or
 * an absent property where a value is required, and operands of kinds that do not match.
 */
import { Fault } from "../faults.ts";
import type { Shapes } from "../shape.ts";
import { type Facts, forget, learn, pathOf } from "./facts.ts";
import { FUNCTIONS, type Kind } from "./functions.ts";
import { suggestion } from "./nearest.ts";
import type { Each, Get, Node, Sign } from "./parse.ts";
import { kindsOf, type Option, type Property, type Type, typeOf, typeOfShape, union, withoutNull } from "./types.ts";

const BOOLEAN: readonly Kind[] = ["boolean"];
const NUMBER: readonly Kind[] = ["number"];

/** The values that a part of a condition may read, and what is known about them at this place. */
interface Known {
  readonly names: ReadonlyMap<string, Type>;
  readonly facts: Facts;
}

/** Throws `slip.condition` if a condition is certain to fail, or may fail for a type. */
export function checkNode(node: Node, scope: Shapes): void {
  const names = new Map(Object.entries(scope).map(([name, shape]) => [name, typeOfShape(shape)] as const));
  need(node, BOOLEAN, { names, facts: new Map() });
}

function refuse(text: string): never {
  throw new Fault("slip.condition", text);
}

/** Returns the type of a part. */
function check(node: Node, known: Known): Type {
  const type = checkRaw(node, known);
  const path = pathOf(node);
  return path !== undefined && known.facts.get(path) === "value" ? withoutNull(type) : type;
}

function checkRaw(node: Node, known: Known): Type {
  switch (node.op) {
    case "literal":
      return literalType(node.value);
    case "name":
      return known.names.get(node.name) ?? unknownName(node.name, known);
    case "get":
      return getType(node, known);
    case "index":
      return indexType(node, known);
    case "has":
      looseType(node.of, known);
      return typeOf("boolean");
    case "call":
      return callType(node, known);
    case "each":
      return eachType(node, known);
    case "list":
      return [listType(union(node.items.map((item) => check(item, known))))];
    case "object":
      return [objectType(node.entries.map(([key, value]) => [key, check(value, known)] as const))];
    case "choose":
      need(node.condition, BOOLEAN, known);
      return union([check(node.yes, after(known, node.condition, true)), check(node.no, after(known, node.condition, false))]);
    case "and":
    case "or":
      need(node.left, BOOLEAN, known);
      need(node.right, BOOLEAN, after(known, node.left, node.op === "and"));
      return typeOf("boolean");
    case "not":
      need(node.of, BOOLEAN, known);
      return typeOf("boolean");
    case "minus":
      need(node.of, NUMBER, known);
      return typeOf("number");
    case "binary":
      return binaryType(node, node.sign, known);
  }
}

function after(known: Known, node: Node, outcome: boolean): Known {
  return { ...known, facts: learn(known.facts, node, outcome) };
}

function literalType(value: null | boolean | number | string): Type {
  if (typeof value === "string") return [{ kind: "string", values: [value] }];
  if (value === null) return typeOf("null");
  return typeOf(typeof value === "number" ? "number" : "boolean");
}

const listType = (item: Type): Option => ({ kind: "list", item: () => item });

function objectType(entries: readonly (readonly [string, Type])[]): Option {
  const types = new Map(entries);
  const property = (name: string): Property | undefined => {
    const type = types.get(name);
    return type === undefined ? undefined : { type, present: "always" };
  };
  return { kind: "object", names: [...types.keys()], property };
}

function unknownName(name: string, { names }: Known): never {
  const all = [...names.keys()];
  return refuse(`unknown name ${JSON.stringify(name)}${suggestion(name, all)}; known: ${all.join(", ")}`);
}

// ---- what a value must be -------------------------------------------------------------------------------------------

/** Checks that a part is of one of the given kinds, and returns its type. */
function need(node: Node, kinds: readonly Kind[], known: Known): Type {
  const type = check(node, known);
  requireKinds(node, type, kinds);
  return type;
}

function requireKinds(node: Node, type: Type, kinds: readonly Kind[]): void {
  if (type === "any") return;
  const wrong = kindsOf(type).find((kind) => !kinds.includes(kind));
  if (wrong === undefined) return;
  if (wrong === "null" && type.length > 1) refuseNull(node);
  const wanted = kinds.map((kind) => (kind === "boolean" ? "true or false" : KINDS[kind])).join(" or ");
  refuse(`${node.text} ${type.length > 1 ? "may be" : "is"} ${KINDS[wrong]}, but must be ${wanted}`);
}

const KINDS: Readonly<Record<Kind, string>> = {
  null: "null",
  boolean: "true or false",
  number: "a number",
  string: "a text",
  list: "a list",
  object: "an object",
};

function refuseNull(node: Node): never {
  return refuse(
    `${node.text} may be null` +
      (pathOf(node) === undefined ? "" : `; check first, such as ${node.text} != null && ..., or ${node.text} == null || ...`),
  );
}

function kindsText(type: readonly Option[]): string {
  return kindsOf(type)
    .map((kind) => KINDS[kind])
    .join(" or ");
}

// ---- properties and items -------------------------------------------------------------------------------------------

function getType(node: Node & Get, known: Known): Type {
  const of = check(node.of, known);
  if (of === "any") return of;
  if (of.length > 1 && kindsOf(of).includes("null")) refuseNull(node.of);
  const found = of.map((option) => propertyOf(option, node.key));
  const some = found.filter((property) => property !== undefined);
  if (some.length === 0) return noProperty(node, of);
  const path = pathOf(node);
  const isThere = path !== undefined && known.facts.has(path);
  const mayMiss = some.length < found.length || some.some(({ present }) => present === "sometimes");
  if (mayMiss && !isThere) {
    refuse(`${node.text} may be absent${path === undefined ? "" : `; check first, such as has(${node.text}) && ...`}`);
  }
  return union(some.map(({ type }) => type));
}

/** The type for `has`: null or an absent value on the path is allowed, but a property that no schema knows is an error. */
function looseType(node: Node, known: Known): Type {
  if (node.op !== "get") return check(node, known);
  const of = looseType(node.of, known);
  if (of === "any") return of;
  const found = of.map((option) => propertyOf(option, node.key)).filter((property) => property !== undefined);
  return found.length === 0 ? noProperty(node, of) : union(found.map(({ type }) => type));
}

function propertyOf(option: Option, key: string): Property | undefined {
  return option.kind === "object" ? option.property(key) : undefined;
}

function noProperty(node: Node & Get, of: readonly Option[]): never {
  const names = [...new Set(of.flatMap((option) => (option.kind === "object" ? option.names : [])))];
  if (names.length > 0)
    return refuse(`${node.of.text} has no ${JSON.stringify(node.key)}${suggestion(node.key, names)}; it has ${names.join(", ")}`);
  const hint = node.key === "length" ? `; write size(${node.of.text})` : "";
  return refuse(`${node.of.text} is ${kindsText(of) || "never a value"} and has no ${JSON.stringify(node.key)}${hint}`);
}

function indexType(node: Node & { readonly op: "index" }, known: Known): Type {
  const of = need(node.of, ["list", "object"], known);
  const index = check(node.index, known);
  if (of === "any") return of;
  if (isWide(of)) refuse(`${node.of.text} may be ${kindsText(of)}, so its items do not have one kind of key`);
  requireKinds(node.index, index, kindsOf(of).includes("list") ? NUMBER : ["string"]);
  return union(of.map((option) => (option.kind === "list" ? option.item() : "any")));
}

// ---- operators ------------------------------------------------------------------------------------------------------

function binaryType(node: Node & { readonly op: "binary" }, sign: Sign, known: Known): Type {
  switch (sign) {
    case "==":
    case "!=":
      requireOverlap(node, check(node.left, known), check(node.right, known));
      return typeOf("boolean");
    case "in":
      return withinType(node, known);
    case "+":
      return sumType(node, known);
    case "-":
    case "*":
    case "/":
    case "%":
      need(node.left, NUMBER, known);
      need(node.right, NUMBER, known);
      return typeOf("number");
    default:
      needAlike(node, ["number", "string", "boolean"], known);
      return typeOf("boolean");
  }
}

/** Checks that both sides are of the same kind, and returns their types. */
function needAlike(node: Node & { readonly op: "binary" }, kinds: readonly Kind[], known: Known): readonly [Type, Type] {
  const left = need(node.left, kinds, known);
  const right = need(node.right, kinds, known);
  for (const [side, type] of [[node.left, left] as const, [node.right, right] as const]) {
    if (type !== "any" && isWide(type))
      refuse(`${side.text} may be ${kindsText(type)}, so ${node.sign} cannot be applied; see dyn(${side.text})`);
  }
  if (left !== "any" && right !== "any" && kindsOf([...left, ...right]).length > 1)
    refuse(`${node.text}: ${node.sign} cannot be applied to ${kindsText(left)} and ${kindsText(right)}`);
  return [left, right];
}

function isWide(type: Type): boolean {
  return type !== "any" && kindsOf(type).length > 1;
}

function sumType(node: Node & { readonly op: "binary" }, known: Known): Type {
  const [left, right] = needAlike(node, ["number", "string", "list"], known);
  const [given] = [left, right].filter((type) => type !== "any");
  const kind = given?.[0]?.kind;
  if (kind === "number" || kind === "string") return typeOf(kind);
  if (left === "any" || right === "any") return "any";
  return [listType(union([...left, ...right].map(itemOf)))];
}

function itemOf(option: Option): Type {
  return option.kind === "list" ? option.item() : "any";
}

function withinType(node: Node & { readonly op: "binary" }, known: Known): Type {
  const left = check(node.left, known);
  const right = need(node.right, ["list", "object"], known);
  if (right === "any") return typeOf("boolean");
  if (kindsOf(right).includes("object")) requireKinds(node.left, left, ["string"]);
  else requireOverlap(node, left, union(right.map(itemOf)));
  return typeOf("boolean");
}

/** Rejects a comparison that can never be true: with another kind, or with a text that is not among the possible ones. */
function requireOverlap(node: Node & { readonly op: "binary" }, left: Type, right: Type): void {
  if (left === "any" || right === "any" || left.length === 0 || right.length === 0) return;
  if (left.some((one) => right.some((other) => mayEqual(one, other)))) return;
  const texts = [textsOf(left), textsOf(right)];
  const [given, possible] = node.right.op === "literal" ? [texts[1], texts[0]] : texts;
  if (given?.length === 1 && possible !== undefined && possible.length > 0) {
    const [text = ""] = given;
    const list = possible.map((item) => JSON.stringify(item)).join(", ");
    refuse(`${node.text}: ${JSON.stringify(text)} is not a possible value${suggestion(text, possible)}; possible are ${list}`);
  }
  refuse(`${node.text} compares ${kindsText(left)} with ${kindsText(right)}, which are never equal`);
}

function textsOf(type: readonly Option[]): readonly string[] {
  return type.flatMap((option) => (option.kind === "string" ? (option.values ?? []) : []));
}

function mayEqual(one: Option, other: Option): boolean {
  if (one.kind !== "string" || other.kind !== "string") return one.kind === other.kind;
  const { values } = other;
  return one.values === undefined || values === undefined || one.values.some((value) => values.includes(value));
}

// ---- functions and macros -------------------------------------------------------------------------------------------

function callType(node: Node & { readonly op: "call" }, known: Known): Type {
  const made = FUNCTIONS.get(node.name);
  const types = node.args.map((arg, index) => need(arg, made?.takes[index] ?? [], known));
  if (node.name === "join") for (const option of types[0] === "any" ? [] : (types[0] ?? [])) requireTexts(node, itemOf(option));
  const gives = made?.gives;
  if (gives === undefined || gives === "object") return "any";
  return gives === "list" ? [listType(typeOf("string"))] : typeOf(gives);
}

function requireTexts(node: Node, item: Type): void {
  if (item !== "any" && kindsOf(item).some((kind) => kind !== "string")) refuse(`${node.text}: join() takes a list of texts`);
}

function eachType(node: Each & { readonly text: string }, known: Known): Type {
  const over = need(node.over, ["list", "object"], known);
  const item = over === "any" ? over : union(over.map((option) => (option.kind === "list" ? option.item() : typeOf("string"))));
  const names = new Map([...known.names, [node.variable, item]]);
  const inside: Known = { names, facts: forget(known.facts, node.variable) };
  if (node.test !== undefined) need(node.test, BOOLEAN, inside);
  if (node.macro === "filter") return [listType(item)];
  if (node.give === undefined) return typeOf("boolean");
  return [listType(check(node.give, node.test === undefined ? inside : after(inside, node.test, true)))];
}
