/**
 * @module A cassette: the records of a process and of its work items with all their contents, in one document that needs no store. What
 * was recorded of a handler is the same that its actor keeps. Pure.
 */
import { z } from "zod";
import { AgentWork } from "../agent/state.ts";
import { recordOf } from "../entries.ts";
import { ModelFacts } from "../model/conversation.ts";
import { ProcessEvent } from "../process/events.ts";
import { JsonContent, Value } from "../value.ts";

/** Version of the cassettes that are written. */
export const CASSETTE_VERSION = 1;

/** One record of a process's journal. */
export const CassetteRecord = z.strictObject({
  sequence: z.int().positive(),
  /** Epoch, milliseconds. */
  atMs: z.int().nonnegative(),
  events: z.array(ProcessEvent),
});
export type CassetteRecord = z.infer<typeof CassetteRecord>;

/** A work item as its actor remembers it, with all its records, and the state of the agent that its handler saw first. */
export const CassetteWork = z.strictObject({
  agent: z.string(),
  actor: z.string(),
  /** The agent's state when the handler of the last attempt began. Absent: the agent's initial state, or it has none. */
  state: Value.optional(),
  stateVersion: z.int().nonnegative(),
  work: AgentWork,
  /** Facts of its model calls, by their keys. Absent: there is none. */
  facts: recordOf(ModelFacts).optional(),
  /** What its model calls have cost in all their tries, in millionths of a US dollar, by their keys. Absent: nothing is known. */
  costs: recordOf(z.int().nonnegative()).optional(),
  /** The state that its end committed. */
  nextState: Value.optional(),
});
export type CassetteWork = z.infer<typeof CassetteWork>;

/** One process of a cassette. */
export const CassetteProcess = z.strictObject({
  id: z.string(),
  records: z.array(CassetteRecord).min(1),
  works: z.array(CassetteWork),
  /** Work items whose records are gone: their journal was trimmed, or their process purged. */
  gone: z.array(z.string()),
});
export type CassetteProcess = z.infer<typeof CassetteProcess>;

/** A process with its nested ones, the outermost first, and every stored content that they refer to, by its hash. */
export const Cassette = z.strictObject({
  format: z.literal("troupe-cassette"),
  v: z.literal(CASSETTE_VERSION),
  system: z.string(),
  exportedAtMs: z.int().nonnegative(),
  /** Contents were replaced, so it can be read and not replayed. */
  redacted: z.literal(true).optional(),
  processes: z.array(CassetteProcess).min(1),
  values: recordOf(JsonContent),
});
export type Cassette = z.infer<typeof Cassette>;
