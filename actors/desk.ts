/**
 * @module The dead letter desk and the other listings: what waits for a person, who decided what, and the decisions.
 */
import { z } from "zod";
import type { System } from "../agents/system.ts";
import { hashText, plainJson } from "../runtime/canonical.ts";
import { Fault, isFaultCode, type Json, type WireFault } from "../runtime/faults.ts";
import { bucketOf } from "../runtime/index-actor.ts";
import { isId } from "../runtime/ids.ts";
import { actorType, type Address, type IndexEntry } from "../runtime/protocol.ts";
import type { Host } from "./host.ts";
import { type EntryPage, Listing } from "./listing.ts";
import type { Caller, LetterFilter, Page, ProcessFilter, RedriveOptions, TaskReceipt } from "./operations.ts";
import type { Ports } from "./ports.ts";

/** What is read of a process's own view. */
const Shown = z.object({ bucket: z.string().optional() });

/** What the desk works on. */
export interface DeskParts {
  readonly system: System;
  readonly ports: Ports;
  readonly host: Host;
}

/** Status of a line whose process never came to be. */
const NO_PROCESS: readonly unknown[] = ["void", "refused"];
const POISON_HASH_CHARS = 40;
const POISON_ID = /^poison-(\d+)-[0-9a-f]+$/;
const LETTER_ID = /^(.+):(\d{1,9})$/;

/** Listings, letters and decisions of one system. */
export class Desk {
  readonly #parts: DeskParts;
  readonly #directory: Listing;
  readonly #letters: Listing;
  readonly #audit: Listing;

  constructor(parts: DeskParts) {
    const { ports, system } = parts;
    this.#parts = parts;
    this.#directory = new Listing(ports, system.name, "Directory");
    this.#letters = new Listing(ports, system.name, "DeadLetterDesk");
    this.#audit = new Listing(ports, system.name, "Audit");
  }

  async processes({ state, status, route }: ProcessFilter, cursor: string | undefined, limit: number): Promise<Page> {
    const wanted = ({ open, facts }: IndexEntry): boolean =>
      !NO_PROCESS.includes(facts["status"]) && (state === undefined || open === (state === "open")) && (status === undefined || facts["status"] === status) && (route === undefined || facts["route"] === route);
    return pageOf(await this.#directory.page(wanted, cursor, limit));
  }

  async letters({ route, code, decided = false }: LetterFilter, cursor: string | undefined, limit: number): Promise<Page> {
    const wanted = ({ open, facts }: IndexEntry): boolean => open !== decided && (route === undefined || facts["route"] === route) && (code === undefined || facts["code"] === code);
    return pageOf(await this.#letters.page(wanted, cursor, limit));
  }

  async audit(cursor: string | undefined, limit: number): Promise<Page> {
    const { entries, ...rest } = await this.#audit.page(() => true, cursor, limit);
    return { entries: entries.map(({ id, atMs, facts }) => ({ id, atMs, ...facts })), ...rest };
  }

  async letter(id: string): Promise<Json> {
    const entry = await this.#entry(id);
    if (entry === undefined) throw unknown(id);
    return { ...lineOf(entry), letter: entry.content === undefined ? null : await this.#parts.host.values.read(entry.content) };
  }

  /** A process's letter lies in the bucket that its process names; poison's id says its slice. */
  async #entry(id: string): Promise<IndexEntry | undefined> {
    const slice = POISON_ID.exec(id)?.[1];
    if (slice !== undefined) return this.#letters.find(`${slice}.0000`, id);
    const processId = LETTER_ID.exec(id)?.[1];
    if (processId === undefined || !isId(processId)) return undefined;
    const { bucket } = Shown.parse(await this.#parts.ports.transport.inspect(this.#process(processId)));
    return bucket === undefined ? undefined : this.#letters.find(bucket, id);
  }

  #process(id: string): Address {
    return { type: actorType(this.#parts.system.name, "ProcessManager"), id };
  }

  async redrive(id: string, _options: RedriveOptions, _caller: Caller): Promise<TaskReceipt> {
    throw unknown(id);
  }

  async discard(id: string, _reason: string, _caller: Caller): Promise<Json> {
    throw unknown(id);
  }

  async poison(bytes: string, fault: WireFault, topic: string): Promise<void> {
    const { desk, values, metrics } = this.#parts.host;
    const atMs = this.#parts.ports.clock.nowMs();
    const facts = { topic, code: isFaultCode(fault.code) ? fault.code : "message.invalid", message: fault.message };
    const bucket = bucketOf(atMs, 0);
    const id = `poison-${bucket.split(".")[0]}-${hashText(`${topic}\n${bytes}`).slice(0, POISON_HASH_CHARS)}`;
    const content = await values.keep({ topic, bytes, fault: plainJson(fault), atMs }, id);
    await desk.file(bucket, { id, open: true, atMs, facts, content });
    metrics.deadLetter(fault);
  }
}

function unknown(id: string): Fault {
  return new Fault("deadletter.unknown", `there is no dead letter ${JSON.stringify(id)}`);
}

function lineOf({ id, open, atMs, facts }: IndexEntry): { readonly [key: string]: Json } {
  return { id, open, atMs, ...facts };
}

function pageOf({ entries, ...rest }: EntryPage): Page {
  return { entries: entries.map(lineOf), ...rest };
}
