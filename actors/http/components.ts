/** @module The names of what goes into the users' API and comes out of it, in its OpenAPI document. */
import type { z } from "zod";
import {
  AuditEntry,
  AuditPage,
  BrokenActor,
  BrokenActors,
  ErrorAnswer,
  GraphAnswer,
  HealthAnswer,
  Letter,
  LetterEntry,
  LetterPage,
  OutcomeAnswer,
  ProcessEntry,
  ProcessPage,
  PurgeAnswer,
  Receipt,
  SignalReceipt,
} from "../../runtime/answers.ts";
import { DigestView, DriftLine, DriftView } from "../../runtime/overview.ts";
import { DecisionReceipt, InboxPage } from "../../runtime/people/answers.ts";
import { RulesAnswer, RuleView } from "../../runtime/people/rule-view.ts";
import { InboxEntry, RequestLine, RequestView } from "../../runtime/people/view.ts";
import { CallView, HistoryLine, HistoryPage, ProcessOutcome, ProcessView, StopsView, WorkView } from "../../runtime/process-view.ts";
import { FactEntry, Forgotten, MemoriesAnswer, MemoryView } from "../../runtime/memory-answers.ts";
import { SourcesAnswer, SourceView, SyncAnswer } from "../../runtime/source-answers.ts";
import { DiffLine, ForkReport, RunDiff } from "../../runtime/cassette/diff.ts";
import { Divergence, ReplayReport } from "../../runtime/cassette/replay-report.ts";
import { ConversationView } from "../../runtime/conversation-view.ts";
import { AgentsView, CostView, OverviewView, SystemView } from "../../runtime/overview.ts";
import { TimelineView } from "../../runtime/timeline.ts";
import { CassetteAnswer } from "./replay-routes.ts";
import {
  CancelRequest,
  DecisionRequest,
  DiscardRequest,
  OpenApiAnswer,
  PurgeRequest,
  RedriveRequest,
  RevokeRequest,
  SetAsideRequest,
  SignalRequest,
  TaskRequest,
} from "./schemas.ts";

/** The schemas that have a name in the document. */
export const COMPONENTS: Readonly<Record<string, z.ZodType>> = {
  Task: TaskRequest,
  Cancel: CancelRequest,
  Signal: SignalRequest,
  Redrive: RedriveRequest,
  Discard: DiscardRequest,
  Purge: PurgeRequest,
  SetAside: SetAsideRequest,
  Decision: DecisionRequest,
  DecisionReceipt,
  InboxEntry,
  RequestLine,
  Request: RequestView,
  InboxPage,
  Revoke: RevokeRequest,
  Rule: RuleView,
  RulesAnswer,
  Error: ErrorAnswer,
  Receipt,
  SignalReceipt,
  Outcome: OutcomeAnswer,
  Process: ProcessView,
  Work: WorkView,
  Call: CallView,
  Stops: StopsView,
  HistoryLine,
  HistoryPage,
  ProcessOutcome,
  ProcessEntry,
  ProcessPage,
  LetterEntry,
  Letter,
  LetterPage,
  AuditEntry,
  AuditPage,
  BrokenActor,
  BrokenActors,
  Graph: GraphAnswer,
  Purged: PurgeAnswer,
  Memories: MemoriesAnswer,
  Memory: MemoryView,
  Fact: FactEntry,
  Forgotten,
  Source: SourceView,
  Sources: SourcesAnswer,
  Synced: SyncAnswer,
  Overview: OverviewView,
  Costs: CostView,
  Agents: AgentsView,
  System: SystemView,
  Timeline: TimelineView,
  Cassette: CassetteAnswer,
  Divergence,
  Replayed: ReplayReport,
  DiffLine,
  RunDiff,
  Forked: ForkReport,
  Drift: DriftView,
  DriftLine,
  Digest: DigestView,
  Conversation: ConversationView,
  Health: HealthAnswer,
  OpenApi: OpenApiAnswer,
};
