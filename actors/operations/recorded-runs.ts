/** @module What the records of a process are used for: its timeline, cassettes, replays, forks, differences and conversations. */
import type { System } from "../../agents/system.ts";
import type { Cassette } from "../../runtime/cassette/cassette.ts";
import type { ForkReport, ForkWanted, RunDiff } from "../../runtime/cassette/diff.ts";
import type { ReplayReport } from "../../runtime/cassette/replay-report.ts";
import type { ConversationView } from "../../runtime/conversation-view.ts";
import { Fault } from "../../runtime/faults.ts";
import { LIMITS } from "../../runtime/limits.ts";
import { diffOf } from "../../runtime/cassette/diff.ts";
import { conversationOf } from "../replay/conversation.ts";
import { replay } from "../replay/replay.ts";
import { Cassettes } from "./cassettes.ts";
import type { WorkHistoryParts } from "./work-history.ts";

/** Runs a fork of a cassette. */
export type Forking = (cassette: Cassette, wanted: ForkWanted) => Promise<ForkReport>;

/** The parts of recorded runs. */
export interface RecordedRunsParts {
  readonly system: System;
  readonly journals: WorkHistoryParts;
  /** Throws for a process that there is not. */
  readonly requireProcess: (id: string) => Promise<unknown>;
  /** Absent: this host runs no forks. */
  readonly forking: Forking | undefined;
}

/** The records of one system's processes. All methods throw `process.unknown` and `cassette.too-large`. */
export class RecordedRuns {
  readonly #parts: RecordedRunsParts;
  readonly #cassettes: Cassettes;
  #forks = 0;

  constructor(parts: RecordedRunsParts) {
    this.#parts = parts;
    this.#cassettes = new Cassettes(parts.journals);
  }

  async cassette(id: string): Promise<Cassette> {
    await this.#parts.requireProcess(id);
    return this.#cassettes.read(id);
  }

  async replay(id: string): Promise<ReplayReport> {
    return replay(this.#parts.system, await this.cassette(id));
  }

  /** Throws `fork.busy`. */
  async fork(id: string, wanted: ForkWanted): Promise<ForkReport> {
    const { forking } = this.#parts;
    if (forking === undefined || this.#forks >= LIMITS.forksAtOnceMax)
      throw new Fault("fork.busy", forking === undefined ? "this host runs no forks" : `${this.#forks} forks run; that is the limit`);
    this.#forks += 1;
    try {
      return await forking(await this.cassette(id), wanted);
    } finally {
      this.#forks -= 1;
    }
  }

  async diff(id: string, other: string): Promise<RunDiff> {
    const [a, b] = await Promise.all([this.cassette(id), this.cassette(other)]);
    return diffOf(a, b);
  }

  /** Throws `work.unknown`. */
  async conversation(id: string, work: string): Promise<ConversationView> {
    return conversationOf(this.#parts.system, await this.cassette(id), work);
  }
}
