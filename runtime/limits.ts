/**
 * @module Every bound of the system, named with its unit.
 *
 * Each constant says what it protects and what happens at the bound. A test checks the relations between them, so that changing one
 * cannot silently break another (test/runtime/limits.test.ts).
 */
import { JOURNAL_LIMITS } from "./limits/of-journals.ts";
import { MCP_LIMITS } from "./limits/of-mcp.ts";
import { MODEL_LIMITS } from "./limits/of-models.ts";
import { OPERATING_LIMITS } from "./limits/of-operating.ts";
import { RELEASES_LIMITS } from "./limits/of-releases.ts";
import { REPLAYS_LIMITS } from "./limits/of-replays.ts";
import { RESERVE_LIMITS } from "./limits/of-reserve.ts";
import { TRUST_LIMITS } from "./limits/of-trust.ts";
import { DAY_MS, HOUR_MS, KIB_BYTES, MIB_BYTES, MINUTE_MS, SECOND_MS } from "./units.ts";

/** Every bound. Names contain the unit: milliseconds, bytes, or what is counted. */
export const LIMITS = {
  /** Maximum size of a value that is stored inline in records and messages. Above: it is stored once under a value key. */
  valueInlineBytesMax: 1 * KIB_BYTES,
  /** Maximum size of one value (task input, agent input or output, state, step result). Above: `value.too-large`. */
  valueBytesMax: 1 * MIB_BYTES,
  /** Maximum size of one message on a topic or in an actor call. Above: `message.too-large`, and it is not sent. */
  messageBytesMax: 2 * MIB_BYTES,
  /** Maximum size of one journal record. Above: the turn commits a small `turn-failed` record instead. */
  recordBytesMax: 2 * MIB_BYTES,
  /** Characters of a fault's message. Above: cut off, so that the dead letter of many attempts fits in a value. */
  faultMessageLengthMax: 2_000,
  /** Characters of a fault's details as JSON text. Above: omitted, as are details that are not Unicode text. */
  faultDetailsLengthMax: 2_000,
  /** Characters of the cause of a fault: class, message and first stack lines of what a handler threw. Above: cut off. */
  faultCauseLengthMax: 1_000,
  /** Characters of class and message at the head of a cause, which leaves room for stack lines. Above: cut off. */
  faultCauseHeadLengthMax: 300,
  /** Stack lines kept of each error of a cause. Further lines are omitted. */
  faultStackLinesMax: 5,
  /** Errors kept of a chain of causes, including the thrown one. Deeper causes are omitted. */
  faultCausesMax: 4,
  /** Characters of a user-defined fault code. Above: `definition.invalid`. */
  faultCodeLengthMax: 64,
  /** Characters of the `fix` of a user-defined fault code. Above: `definition.invalid`. */
  faultFixLengthMax: 200,
  /** Maximum pause that the `retryAfterMs` of a fault can request. A longer one is shortened to this. */
  retryAfterMsMax: 1 * HOUR_MS,
  /** Maximum body size of the host and of the sidecar. Above: HTTP 413. */
  bodyBytesMax: 4 * MIB_BYTES,
  /** Characters of the id of a task or actor. Above: `id.invalid`. A name of a definition has at most half. Above: `definition.invalid`. */
  idLengthMax: 128,

  /** Lifetime of a task that sets none. At the deadline the process is compensated and ends `expired`. */
  taskTimeoutMsDefault: 1 * HOUR_MS,
  /** Maximum lifetime that a task may set. Above: refused with `body.invalid`, or `message.invalid` on a topic. */
  taskTimeoutMsMax: 30 * DAY_MS,
  /** Minimum lifetime that a task may set; a nested route gets it even when its parent has no time left. */
  taskTimeoutMsMin: 1,
  /** How long after its deadline a process may still compensate. Undo records are kept for that long. */
  compensationMsMax: 1 * DAY_MS,
  /** Lifetime of a task from a topic without an expiry, counted from the time of its CloudEvent. */
  messageLifetimeMsDefault: 1 * DAY_MS,
  /** Maximum difference between two hosts' clocks. A deduplication entry is kept this much longer than its message. */
  clockDriftMsMax: 5 * MINUTE_MS,

  /** Retention of ended processes, extended while a valid message may still reference them. Set by `TROUPE_RETENTION`, `retentionMs`. */
  retentionMsDefault: 7 * DAY_MS,
  /** Minimum retention that may be configured. 0 purges as soon as no valid message can reference a process. */
  retentionMsMin: 0,
  /** Minimum time for which an operator action stays in the audit, however short the retention. */
  auditMsMin: 7 * DAY_MS,
  /** Bytes of an invalid message that its dead letter keeps. Above: only the first ones, with the size and hash of the whole. */
  invalidBytesMax: 256 * KIB_BYTES,
  /** Lifetime of a tombstone after the purge of its process; it rejects late messages until it expires. */
  tombstoneMs: 1 * DAY_MS,
  /** Interval between two retention passes of a host; up to half of it is subtracted at random. */
  sweepMs: 10 * MINUTE_MS,
  /** Processes that one retention pass checks. If there are more, the next pass continues there at once. */
  sweepProcessesMax: 1_024,
  /** Actors of single work items in one list of a purged process; it must fit in a value. */
  workActorsListedMax: 4_096,
  /** Processes, and actors of one process, that a sweep purges at once. */
  sweepConcurrency: 8,
  /** Open processes of one host. Above: `system.overloaded`, HTTP 429 with Retry-After, nothing recorded. Nested routes are accepted. */
  openProcessesMax: 10_000,
  /** Lateness of this host's timers, or of the ticks that they began, above which tasks are refused as above. */
  admissionLagMsMax: 3 * SECOND_MS,
  /** Stops of one route. Above: `definition.invalid`. */
  stopsMax: 1_024,
  /** Characters of what a contract says of its agent. Above: `definition.invalid`. */
  aboutLengthMax: 1_024,
  /** Branches of one parallel stop. Above: `definition.invalid`. */
  branchesMax: 64,
  /** Items of one `forEach`. Above: `slip.too-many-items`. */
  forEachItemsMax: 10_000,
  /** Ended items of a `forEach` that stay in the state of its process. At this number they leave it together, as one stored part. */
  partItems: 64,
  /** Work items in one such part, with those that its items asked for. More of them go into further parts. */
  partWorksMax: 1_024,
  /** Items of a `forEach` that one turn begins or skips. The others follow in further turns. */
  forEachItemsPerTurn: 256,
  /** Such parts whose compensation one turn begins. The others follow in further turns. */
  undoPartsPerTurn: 16,
  /** Compensations that one turn gives up when their time is over. The others follow in further turns. */
  undoGivenUpPerTurn: 256,
  /** Parallel items of a `forEach` whose stop sets no number; the other items wait. */
  forEachConcurrencyDefault: 8,
  /** Maximum number of parallel items that a stop may set. Above: `definition.invalid`. */
  forEachConcurrencyMax: 256,
  /** Depth of nested routes. Above: `cycle.depth`. */
  nestingMax: 8,
  /** Work items of one process: stops, items, nested routes, asks, hand-offs; no retries or compensations. Above: `cycle.hops`. */
  hopsMax: 20_000,
  /** Asks and other waits that one work item may make. Above: `ask.too-many`. */
  asksPerWorkMax: 256,
  /** Calls of tools and steps that one execution of a handler may make. Above: `step.too-many`. */
  stepsPerWorkMax: 1_024,
  /** Calls, steps and waits of one work item that may fail, over all its attempts. Above: `step.too-many`. */
  failuresPerWorkMax: 1_024,
  /** Maximum `visitsMax` that an agent or route may declare. Above: `definition.invalid`. */
  visitsMaxMax: 1_000,
  /** Timeout of an attempt if the stop sets none; a nested route has `taskTimeoutMsDefault`. After it: `stop.timeout`, retryable. */
  stopTimeoutMsDefault: 60 * SECOND_MS,
  /** An agent that has given no receipt for a compensation for so long is set aside: the compensations of others go on. */
  undoAnswerMs: 15 * SECOND_MS,
  /** Time in which the receipt of an attempt that is out of time must say how it stands. Then: `stop.timeout`. */
  probeMs: 5 * SECOND_MS,
  /** An answer to a waiting handler is sent again for so long; then as seldom as the reminder rings. */
  answerMs: 30 * SECOND_MS,
  /** Signals of one process that are kept for waits to come. Above: `signal.too-many`, nothing recorded. */
  signalsKeptMax: 64,
  /** Ids of signals that a process has taken and remembers, the last ones: the same id again is the same signal. */
  signalIdsMax: 256,
  /** Greatest time for one call that a tool may name. Above: `definition.invalid`. */
  callTimeoutMsMax: 1 * DAY_MS,
  /** Maximum timeout of one attempt that a stop may set. Above: `definition.invalid`. */
  stopTimeoutMsMax: 7 * DAY_MS,
  /** Attempts of a stop that sets no number, including the first. After the last one the stop has failed. */
  attemptsDefault: 3,
  /** Maximum number of attempts that a stop may set; 1 means no retry. Above: `definition.invalid`. */
  attemptsMax: 100,
  /** Backoff before the second attempt if the stop sets none. It doubles with each attempt; up to half of it is subtracted at random. */
  backoffMsDefault: 200,
  /** Maximum backoff if the stop sets none. */
  backoffMsMaxDefault: 30 * SECOND_MS,
  /** Maximum backoff that a stop may set. Above: `definition.invalid`. */
  backoffMsMax: 1 * HOUR_MS,
  /** Attempts of one compensation; many, because giving up needs a person. After the last one: `compensation.failed` and a dead letter. */
  undoAttemptsMax: 12,
  /** Timeout of one attempt of a compensation, for an agent or nested route. After it the next attempt begins. */
  undoTimeoutMs: 60 * SECOND_MS,
  /** Backoff before the second attempt of a compensation. It doubles with each attempt; up to half of it is subtracted at random. */
  undoBackoffMs: 500,
  /** Maximum backoff of compensations. */
  undoBackoffMsMax: 30 * SECOND_MS,
  /** Takeovers of a work item or its undo after its host died, over all attempts, while it records nothing new. Above: `work.crashed`. */
  takeoversMax: 2,
  /** Work items that wait at one agent actor. Above: `agent.busy`, retryable, nothing recorded. */
  agentQueueMax: 256,
  /** Open work items of one agent actor: queued, running or waiting. Above: `agent.busy`, retryable, nothing recorded. */
  agentOpenMax: 4_096,
  /** Settled work items in the state of one agent actor. Above: the oldest leave the state and are looked up when a message needs them. */
  agentSettledMax: 64,
  /** Settled work items that leave the state of an agent actor at once. */
  agentLeavingMax: 32,
  /** Handlers of one agent that run in parallel on one host if the agent declares no number; further work waits. */
  agentConcurrencyDefault: 64,
  /** Maximum number of parallel handlers that an agent may declare. Above: `definition.invalid`. */
  agentConcurrencyMax: 1_024,
  /** A handler that was told to stop, and a call that outlives its handler, get this long before the work goes on without them. */
  stopGraceMs: 5 * SECOND_MS,
  /** Tools that one agent may declare. Above: `definition.invalid`. */
  toolsMax: 256,
  /** Longest sleep of a handler. Above: `definition.invalid`. */
  sleepMsMax: 30 * DAY_MS,
  /** Suspended handlers of one agent that a host keeps in memory. Above: the oldest is dropped and is executed again from its records. */
  parkedHandlersMax: 4_096,
  /** How long a call that is new waits until its handler has repeated everything that is recorded. After it: `step.mismatch`. */
  recordsUnreachedMs: 10 * SECOND_MS,
  /** First pause before a host offers a handler's result to its actor again after it could not be recorded; it doubles. */
  recordRetryMsMin: 100,
  /** Maximum of that pause; the result is offered until it is recorded or refused. */
  recordRetryMsMax: 2 * SECOND_MS,
  /** Base of the pause before a write whose result is unknown is retried: twice this, then four times, and so on. */
  commitRetryMs: 50,
  /** Pause before a host looks again whether a late record of its own must go, where the store did not answer. */
  takeBackAgainMs: 5 * SECOND_MS,
  /** Interval at which a host renews its lease and reads those of the others. */
  hostLeaseMs: 1 * SECOND_MS,
  /** A host whose lease did not change for so long is dead for those who could renew and read in that time. */
  hostDeadMs: 3 * SECOND_MS,
  /** Reads of an unchanged lease after which its host is dead, if {@link LIMITS.hostDeadMs} has passed too. */
  hostDeadReads: 3,
  /** Other hosts that a host remembers; the least recently used is forgotten. */
  knownHostsMax: 1_024,
  /** Interval of the heartbeats of running work items whose actor may be in another host. */
  heartbeatMs: 10 * SECOND_MS,
  /** Missed heartbeats after which another host may take over the work, although the lease of its host stands. */
  heartbeatsMissedMax: 3,
  /** Time to the next moment of a process that only waits, from which its index entry names that moment. */
  quietMsMin: 10 * SECOND_MS,
  /** Pause before an index entry is written because a process began or ended such a wait. */
  quietLineMs: 3 * SECOND_MS,
  /** Pause before a process asks again for what is unanswered. It doubles while the receivers say that they have the work. */
  askAgainMs: 3 * SECOND_MS,
  /** Maximum of that pause: how late a lost answer is noticed at most, if no host died. */
  askAgainMsMax: 2 * MINUTE_MS,
  /** First pause before effects that could not be performed are tried again; it doubles up to {@link LIMITS.askAgainMs}. */
  askFailedMs: 500,
  /** Time over which a host spreads its questions when another host has died, or its own lease is back. */
  askSpreadMs: 1 * SECOND_MS,
  /** Age of a process at which its reminder is set; one that ends sooner needs none. */
  reminderAfterMs: 3 * SECOND_MS,
  /** Time over which a host that takes processes over spreads the calls that set their reminders. */
  reminderSpreadMs: 20 * SECOND_MS,
  /** How long a reminder is gathered that several processes share. */
  reminderGatherMs: 2 * SECOND_MS,
  /** Processes that share a reminder. */
  remindedTogetherMax: 64,
  /** Period of the reminder of an open process: how late everything is that all other means have lost. */
  reminderMs: 10 * MINUTE_MS,
  /** Time without an answer after which a request is sent again. */
  resendMs: 2 * SECOND_MS,
  /** How long a first receipt proves that the receiver has the request; until then it is not sent again. It doubles with each receipt. */
  receiptTrustMs: 2.5 * SECOND_MS,
  /** Time for which an answer that could not be delivered is sent again; then its receiver must ask for it. */
  replyRetryMs: 1 * MINUTE_MS,
  /** First pause before such an answer is sent again; it doubles. */
  replyRetryMsMin: 500,
  /** A host assumes that it still owns actors that Dapr called within this time. */
  placementTrustMs: 10 * SECOND_MS,
  /** How long messages to a process go to the host where its task was submitted; later ones go to the host of its placement. */
  begunTrustMs: 2 * SECOND_MS,
  /** Ids generated by a host that it treats as new without reading the store. */
  madeIdsMax: 4_096,
  /** Processes that a host knows to be held by another one; the oldest are forgotten. */
  knownElsewhereMax: 65_536,
  /** Receipts that a host remembers. */
  knownReceiptsMax: 65_536,
  /** Open processes that a host nudges in parallel, when it starts or another one has died. */
  recoveryConcurrency: 64,
  /** Processes that a host looks at in parallel because a moment of theirs has come. */
  ticksAtOnceMax: 64,
  /** Processes that a host lets ask again in parallel, each until its receivers have answered. */
  asksAtOnceMax: 64,
  /** The same for processes whose receivers did not answer last time. */
  asksOfFailingAtOnceMax: 32,
  /** Pause before a starting host searches for open processes again when the index does not answer. */
  recoveryRetryMs: 500,
  /** Maximum pause before open processes that could not be nudged are nudged again. */
  recoveryRetryMsMax: 30 * SECOND_MS,
  /** How long a starting host tries to set a reminder before it warns that none can be set. */
  reminderTrialMs: 30 * SECOND_MS,
  /** Timeout of one call to the sidecar; it is cancelled and retried. */
  sidecarCallMs: 5 * SECOND_MS,
  /** Deliveries of one submitted task before its caller is told that the sidecar does not answer. */
  submitAttemptsMax: 3,
  /** Maximum `waitMs` of POST /tasks. Above: `body.invalid`. */
  waitMsMax: 60 * SECOND_MS,
  /** Followers of processes (GET /processes/:id/events) of one host. Above: `stream.too-many`, HTTP 429. */
  followStreamsMax: 256,
  /** Of them, those of one subject, or of one address where no token is needed. Above: the same. */
  followStreamsPerReaderMax: 64,
  /** Parallel reads of followed processes on one host; the others wait. */
  followLooksMax: 8,
  /** Minimum pause between two reads of a followed process; it doubles while nothing happens. */
  followLookMsMin: 100,
  /** Maximum of that pause: the maximum notification delay for a process on another host. */
  followLookMsMax: 2 * SECOND_MS,
  /** Interval at which a follower gets at least a comment, so that no proxy considers the stream dead. */
  followKeepAliveMs: 15 * SECOND_MS,
  /** Maximum duration of one stream. After it the stream ends, and the follower reconnects with Last-Event-ID and the token. */
  followMsMax: 1 * HOUR_MS,
  /** Requests without a valid token that a host answers with 401 each second. Above: `auth.too-many`, HTTP 429, until the next second. */
  refusalsPerSecondMax: 100,
  /** Entries in the token file. Above: `tokens.invalid`. */
  tokensMax: 1_024,
  /** Characters of a message key. Below: `tokens.invalid`. */
  messageKeyCharsMin: 32,
  /** Messages of one subscriber that wait for their turn on one host. Above: the broker is asked to deliver again. */
  subscriberQueueMax: 2_048,
  /** How long a subscriber takes for its answer on a durable broker; then RETRY. Below the processingTimeout of components/ (10 s). */
  subscriberAnswerMs: 8 * SECOND_MS,
  /** Invalid messages that wait for storing on a host whose broker must be answered at once. Above: the broker must deliver again. */
  invalidQueueMax: 64,
  /** Time that a stopping host waits for turns and handlers in flight. */
  drainMs: 10 * SECOND_MS,
  /** Time slice of one bucket of the index of processes. */
  indexBucketMs: 10 * MINUTE_MS,
  /** Entries of one bucket. Above: the next bucket of the same time slice is opened. */
  indexBucketEntriesMax: 2_048,
  /** Entries in one write to the index. */
  indexBatchMax: 256,
  /** Time that the entry of an ended process waits, to be written together with others. */
  indexLingerMs: 25,
  /** Time that the entry of a process that a host takes over waits, to be written together with others. */
  takenLingerMs: 100,
  /** Buckets of an index. Above: `index.full`, retryable. */
  indexBucketsMax: 16_384,
  /** Buckets of one time slice in which an entry that names its bucket is tried. After them: `index.full`, retryable. */
  indexPartsMax: 64,
  /** Buckets searched for one page of a listing. After them the page ends with a cursor, even if it is not full. */
  pageBucketsMax: 64,
  /** Buckets whose entries a host caches for the listing of an index; the least recently used is evicted first. */
  listedBucketsMax: 4_096,
  /** Entries of all buckets together that a host caches for the listing of an index, some hundred bytes each. */
  listedEntriesMax: 50_000,
  /** Entries on one page of a listing. Above: `body.invalid`. */
  pageEntriesMax: 200,
  /** Work items of a process that GET /processes/:id/stops shows; the newest ones. */
  stopsShownMax: 256,
  /** Records of a process that are read for its work history; the newest ones. */
  stopsRecordsMax: 4_096,
  /** Total size of the contents in a work history, the newest first. Above: the other inputs and outputs are omitted. */
  stopsContentBytesMax: 4 * MIB_BYTES,
  /** Earlier runs that a process remembers; the last ones. */
  runsKeptMax: 16,
  /** Inputs of work items that are edited in redrives of one process, each as often as needed. Above: `body.invalid`. */
  editsKeptMax: 64,
  /** Cancellations and decisions that a process remembers; the last ones. At most two belong to one run. */
  actsKeptMax: 32,
  /** Events in the history of a process, and faults kept of one work item; the oldest are dropped first. */
  historyMax: 64,
  /** Characters of a condition (`when`). Above: `definition.invalid`, or `slip.condition` in a slip that was sent. */
  conditionLengthMax: 2_000,
  /** Parts of a condition, as the parser counts them. Above: as for its length. */
  conditionNodesMax: 500,
  /** Levels of a condition, such as parentheses in parentheses. Above: as for its length. */
  conditionDepthMax: 32,
  /** Steps of one evaluation of a condition: parts, items, keys and characters that it goes through. Above: `slip.condition`. */
  conditionStepsMax: 1_000_000,
  /** Steps that the conditions of all items of one `forEach` share evenly; one item has at most those of one evaluation. */
  conditionStepsPerForEach: 50_000_000,
  /** Steps of conditions in one turn, after which it begins no further calls. They follow in further turns. */
  conditionStepsPerTurn: 2_000_000,
  /** Characters of the source of a mapping. Above: `definition.invalid`. */
  mappingLengthMax: 20_000,
  /** Parsed conditions that are kept; the oldest is forgotten. */
  conditionsCachedMax: 512,
  ...JOURNAL_LIMITS,
  ...RESERVE_LIMITS,
  ...MODEL_LIMITS,
  ...MCP_LIMITS,
  ...TRUST_LIMITS,
  ...OPERATING_LIMITS,
  ...REPLAYS_LIMITS,
  ...RELEASES_LIMITS,
} as const;
