/** @module Package entry `./client`: a typed client of a running system. Runs in Node and in browsers; does not import Dapr. */
import "../runtime/zod-version.ts";
export {
  type Client,
  connect,
  type DeltaEvent,
  type FollowEvent,
  type FollowOptions,
  type Outcome,
  type Route,
  type Submitted,
  type WaitOptions,
} from "./client.ts";
export type { AuditOptions, LetterListOptions, ListOptions, PageOptions, RedriveOptions, SubmitOptions } from "./options.ts";
export type { DecideOptions, InboxClient, InboxListOptions } from "./inbox.ts";
export type { RevokeOptions, RuleListOptions, RulesClient } from "./rules.ts";
export type { DigestOptions, DriftOptions, ReportsClient } from "./reports.ts";
export type { MemoryClient } from "./memory.ts";
export type { CallOptions, ConnectOptions } from "./connection.ts";
export { CLIENT_CODES, type ClientCode, ClientError } from "./errors.ts";
export type { FollowedDelta } from "../runtime/model/deltas.ts";
export type {
  AuditEntry,
  GraphAnswer,
  HealthAnswer,
  Letter,
  LetterEntry,
  ProcessEntry,
  PurgeAnswer,
  Receipt,
  SchemasAnswer,
  SignalReceipt,
} from "../runtime/answers.ts";
export type { FactFilter, ForgetOptions, FactEntry, Forgotten, GoneFact, MemoriesAnswer, MemoryView } from "../runtime/memory-answers.ts";
export type { DecisionContent as Decision, DecisionReceipt, InboxPage } from "../runtime/people/answers.ts";
export type { DigestView, DriftLine, DriftView } from "../runtime/overview.ts";
export type { RulesAnswer, RuleView } from "../runtime/people/rule-view.ts";
export type { InboxEntry, RequestLine, RequestView } from "../runtime/people/view.ts";
export type { ReleasesView, ReleaseView } from "../runtime/release.ts";
export type { SourcesAnswer, SourceView, StaleReader, SyncAnswer } from "../runtime/source-answers.ts";
export type {
  CallView,
  FaultView,
  HistoryLine,
  HistoryPage,
  ProcessOutcome,
  ProcessView,
  StopsView,
  WorkView,
} from "../runtime/process-view.ts";
