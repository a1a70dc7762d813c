/** @module What the fakes behind an HttpHost do, and what they remember. */
import type { InvalidBytes } from "../../../actors/operations/invalid-bytes.ts";
import type { Caller, Operations, Page, Submission, SubmitResult } from "../../../actors/operations/operations.ts";
import type { WireFault } from "../../../runtime/faults.ts";
import type { ProcessView } from "../../../runtime/process-view.ts";
import type { Message, TurnAnswer } from "../../../runtime/protocol.ts";

/** What the fakes do; tests replace parts of it. */
export interface Behaviour {
  receive(message: Message): Promise<TurnAnswer>;
  deliver(message: Message): Promise<TurnAnswer>;
  submit(submission: Submission, caller: Caller, waitMs: number): Promise<SubmitResult>;
  invalid(): Promise<void>;
  process(id: string): Promise<ProcessView>;
  page(asked: object): Promise<Page>;
  decide(): Promise<void>;
  tick(): Promise<void>;
  looked(): Promise<void>;
  changes: Operations["changes"];
}

export interface Seen {
  readonly received: Message[];
  readonly delivered: Message[];
  readonly submitted: { readonly submission: Submission; readonly caller: Caller; readonly waitMs: number }[];
  readonly invalid: InvalidMessage[];
  /** How often the dead letter queue was asked to store a message. */
  inQueue: number;
  readonly events: string[];
  readonly log: string[];
  /** Looks at contents, as the audit has them. */
  readonly looks: string[];
}

/** What arrived at the dead letter queue: as text, and unchanged. */
interface InvalidMessage {
  readonly bytes: string;
  readonly fault: WireFault;
  readonly topic: string;
  readonly raw: InvalidBytes;
}
