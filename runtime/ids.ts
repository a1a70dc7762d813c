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

/** The tenant of callers whose token names none. */
export const DEFAULT_TENANT = "default";
/** What the ids of a tenant's processes begin with, within the system. No id from outside does. */
const TENANT_PREFIX = /^t-[0-9a-f]{16}\./;
const TENANT_DIGITS = 16;
/** Ids that only the system gives. */
const KEPT_ID = /^(t-[0-9a-f]{16}\.|child-[0-9a-f]{40}$)/;

/** Whether a text is a valid id. `.` and `..` are not, since they have a meaning in a URL path. */
export function isId(text: string): boolean {
  if (text === "." || text === "..") return false;
  const length = text.length - prefixOf(text).length;
  return length >= 1 && length <= LIMITS.idLengthMax && ID_PATTERN.test(text);
}

function prefixOf(id: string): string {
  return TENANT_PREFIX.exec(id)?.[0] ?? "";
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

/**
 * Returns an id from outside for a task.
 * @throws `id.invalid`, also for an id that the system gives to a nested route, or to the process of a tenant
 */
export function requireTaskId(text: string): string {
  if (KEPT_ID.test(text))
    throw new Fault("id.invalid", `task id ${JSON.stringify(text.slice(0, 160))} has a form that is kept for ids that the system gives`);
  return requireId(text, "task id");
}

// ---- tenants: the same id of two tenants is two processes ---------------------------------------------------------------

/** The id of a tenant's process (or dead letter) within the system. The default tenant's ids stay as they are. */
export function insideId(id: string, tenant: string): string {
  return tenant === DEFAULT_TENANT ? id : `t-${hashText(tenant).slice(0, TENANT_DIGITS)}.${id}`;
}

/** The id of a process (or dead letter) as its tenant knows it. */
export function outsideId(id: string): string {
  return id.slice(prefixOf(id).length);
}

/** Whether a process (or dead letter) is of a tenant. */
export function isOfTenant(id: string, tenant: string): boolean {
  return prefixOf(id) === insideId("", tenant);
}

// ---- names --------------------------------------------------------------------------------------------------------------

/** Whether a text may name an agent, a route, a stop or a system. Dots are excluded: Dapr app ids and topics are built from it. */
export function isName(text: string): boolean {
  return text.length <= LIMITS.idLengthMax / 2 && NAME_PATTERN.test(text);
}

/**
 * Encodes any text as an actor id. A valid id stays unchanged; any other text becomes `x-` and its hash, so that two texts never share an
 * actor. A text that begins with `x-` is hashed too, or it could collide with another text's encoding; and one of a form that is kept.
 */
export function encodeActorId(text: string): string {
  if (isId(text) && !text.startsWith("x-") && !KEPT_ID.test(text)) return text;
  return `x-${hashText(text)}`;
}

// ---- paths: where in its route a work item stands ---------------------------------------------------------------------

/** The path of one branch of an `any`: names have no dot. The branches of an `all` stand under their own names. */
export function branchPath(stop: string, branch: string): string {
  return `${stop}.${branch}`;
}

/** Whether a path is that of a branch of an `any`. */
export function isBranchPath(path: string): boolean {
  return path.includes(".");
}

/** The path of the items of a `forEach`. */
export function itemsPath(stop: string): string {
  return `${stop}[]`;
}

/** Whether a path is that of items of a `forEach`. */
export function isItemsPath(path: string): boolean {
  return path.endsWith("[]");
}

/** A path as people read it: `pages[3]` for an item of a `forEach`. */
export function pathText(path: string, item: number | undefined): string {
  return item === undefined || !isItemsPath(path) ? path : `${path.slice(0, -1)}${item}]`;
}

/** One item of a path; `item` is 0 outside of a `forEach`. */
export function placeOf(path: string, item: number | string): string {
  return `${path}#${item}`;
}

/** The path and the item of a place. */
export function placeParts(place: string): { readonly path: string; readonly item: number } {
  const at = place.lastIndexOf("#");
  return { path: place.slice(0, at), item: Number(place.slice(at + 1)) };
}

// ---- work items and messages --------------------------------------------------------------------------------------------

/** Work id of a stop. `item` is the index in a `forEach` (0 elsewhere); `visit` is 1, and one more after each hand-off. */
export function stopWorkId(process: string, run: number, stop: string, item: number, visit: number): string {
  return `${process}:${run}:${stop}:${item}:${visit}`;
}

/** The parts of the work id of a stop, or of the stop that an ask, a hand-off or a compensation belongs to. */
export function stopWorkParts(work: string): {
  readonly process: string;
  readonly run: number;
  readonly stop: string;
  readonly item: number;
  readonly visit: number;
} {
  const [process = "", run = "0", stop = "", item = "0", visit = "1"] = work.split(":");
  return { process, run: Number(run), stop, item: Number(item), visit: Number.parseInt(visit, 10) };
}

/** Id of the `index`-th wait (from 0) of a work item: of the work that it asks for, and of its visits after hand-offs. */
export function askWorkId(parent: string, index: number, visit: number): string {
  return `${parent}/ask${index}:${visit}`;
}

/** Whether a work item was asked for by another (by its `index`-th wait, or by any), or by what that one asked for. */
export function isAskOf(work: string, asker: string, index?: number): boolean {
  return work.startsWith(index === undefined ? `${asker}/ask` : `${asker}/ask${index}:`);
}

/** Work id of the compensation of a work item. */
export function undoWorkId(work: string): string {
  return `${work}/undo`;
}

/** Id of the work item or wait that judges the output of a work item: a validator, or a person at its end. */
export function checkWorkId(work: string, by: "validator" | "person"): string {
  return `${work}/${by}`;
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

/** The tool in the {@link callKey} of a call. */
export function toolOf(key: string): string {
  return key.slice(0, key.indexOf("/"));
}

/** The key of the wait for a person's consent to a call, by the call's key. `round` counts from 0: an edit may be asked about again. */
export function consentKey(call: string, round: number): string {
  return `consent ${call}/${round}`;
}

/** What the keys of model calls begin with. */
const MODEL_PREFIX = "model:";

/** Returns the key of a model call within its work item: its model, the hash of its request, how often that occurred before (from 0). */
export function modelKey(model: string, hash: string, count: number): string {
  return `${MODEL_PREFIX}${model}/${hash}#${count}`;
}

/** The hash of the request in a {@link modelKey}. */
export function modelHash(key: string): string {
  return key.slice(key.lastIndexOf("/") + 1, key.lastIndexOf("#"));
}

/** The model in a {@link modelKey}. */
export function modelOf(key: string): string {
  return key.slice(key.indexOf(":") + 1, key.lastIndexOf("/"));
}

/** The work item and the call of the idempotency key of a model call. */
export function workOfCall(key: string): { readonly work: string; readonly call: string } {
  const at = key.indexOf(`/${MODEL_PREFIX}`);
  return at < 0 ? { work: key, call: "" } : { work: key.slice(0, at), call: key.slice(at + 1) };
}

/** Returns the idempotency key of a call (by its {@link callKey}) or a step (by its name); constant over attempts, restarts and hosts. */
export function idempotencyKey(work: string, key: string): string {
  return `${work}/${key}`;
}

/** The message id: work id and attempt. */
export function messageId(work: string, attempt: number): string {
  return `${work}:${attempt}`;
}

/** Message id of the answer to a handler's wait. */
export function answerId(work: string, index: number): string {
  return `${work}/answer${index}`;
}

/** Message id of the request for a wait. */
export function waitId(work: string, index: number): string {
  return `${work}/wait${index}`;
}

/** Message id of the reply to the request of a work item. */
export function replyId(work: string): string {
  return `${work}/reply`;
}

/** Message id of what a receiver's refusal for good says to the process. */
export function refusalId(message: string): string {
  return `${message}/refused`;
}

// ---- requests to people -------------------------------------------------------------------------------------------------

const REQUEST_ID = /^(.+)\.r([1-9][0-9]{0,8})$/;

/** The id of the `count`-th request (from 1) of a process to people, over all its runs. */
export function requestId(process: string, count: number): string {
  return `${process}.r${count}`;
}

/** The process of a {@link requestId}, and its number; undefined where a text is none. */
export function requestParts(id: string): { readonly process: string; readonly count: number } | undefined {
  const [, process, count] = REQUEST_ID.exec(id) ?? [];
  return process === undefined || count === undefined || !isId(process) ? undefined : { process, count: Number(count) };
}

// ---- actors, runs -------------------------------------------------------------------------------------------------------

/** The id of the child process that a nested route runs as: derived, so that a repeated request meets the same process; of its tenant. */
export function childProcessId(work: string): string {
  return `${prefixOf(work)}child-${hashText(work).slice(0, DERIVED_LENGTH)}`;
}

/** The id of the actor that does one work item alone. */
export function workActorId(work: string): string {
  return `work-${hashText(work).slice(0, DERIVED_LENGTH)}`;
}

/** Hexadecimal digits of a derived id: 160 bits. */
const DERIVED_LENGTH = 40;

/** The name of a work item in the names of its entries. */
export function settledName(work: string): string {
  return hashText(work).slice(0, DERIVED_LENGTH);
}

/** The reference of the entry of a work item that has settled `count` times: a name in the place of the content's hash. */
export function settledRef(work: string, count: number): string {
  return namedSettledRef(settledName(work), count);
}

/** As {@link settledRef}, by the {@link settledName}. */
export function namedSettledRef(name: string, count: number): string {
  return `settled-${name}-${count}`;
}

/** One run of a process: the id of its dead letter and of its event notifications. */
export function runId(process: string, run: number): string {
  return `${process}:${run}`;
}

/** The process and the run of a {@link runId}; undefined where a text is none. */
export function runParts(id: string): { readonly process: string; readonly run: number } | undefined {
  const at = id.lastIndexOf(":");
  return at < 0 ? undefined : { process: id.slice(0, at), run: Number(id.slice(at + 1)) };
}
