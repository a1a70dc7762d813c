/**
 * @module Every bound of the system, named with its unit.
 *
 * Each constant says what it protects and what happens when it is reached. The relations that must hold between them
 * are checked when the module is loaded, so that an edit of one cannot silently break another.
 */

const SECOND_MS = 1_000;
const MINUTE_MS = 60 * SECOND_MS;
const HOUR_MS = 60 * MINUTE_MS;
const DAY_MS = 24 * HOUR_MS;
const KIB_BYTES = 1_024;
const MIB_BYTES = 1_024 * KIB_BYTES;

/** Every bound. Names say the unit: milliseconds, bytes, and elsewhere what is counted. */
export const LIMITS = {
  /** A JSON value of at most this size stands inline in records and messages; a larger one becomes a value key. */
  valueInlineBytesMax: 1 * KIB_BYTES,
  /** One value (task input, agent input or output, state, step result). Above: `value.too-large`. */
  valueBytesMax: 1 * MIB_BYTES,
  /** One message on a topic or in an actor call. Above: `message.too-large`, and it is not sent. */
  messageBytesMax: 2 * MIB_BYTES,
  /** One journal record. Above: the turn commits a small `turn-failed` record instead. */
  recordBytesMax: 2 * MIB_BYTES,
  /** Characters of a fault's message; the rest is cut off, or the dead letter of many attempts would not fit in a value. */
  faultMessageLengthMax: 2_000,
  /** Details of a fault, as JSON text. Larger ones, and what is no Unicode text, are left out. */
  faultDetailsLengthMax: 2_000,
  /** Characters of the cause of a fault: class, message and first stack lines of what a handler threw. The rest is cut off. */
  faultCauseLengthMax: 1_000,
  /** Characters of class and message at the head of a cause, so that stack lines have room beside them. The rest is cut off. */
  faultCauseHeadLengthMax: 300,
  /** Stack lines kept of each error of a cause. Further lines are left out. */
  faultStackLinesMax: 5,
  /** Errors of a chain of causes that are kept, the thrown one included. Deeper causes are left out. */
  faultCausesMax: 4,
  /** Characters of a fault code of the user's own. Above: `definition.invalid`. */
  faultCodeLengthMax: 64,
  /** Characters of the `fix` of a fault code of the user's own. Above: `definition.invalid`. */
  faultFixLengthMax: 200,
  /** Greatest pause that the `retryAfterMs` of a fault can ask for. A longer one is shortened to this. */
  retryAfterMsMax: 1 * HOUR_MS,
  /** Body limit of the host and of the sidecar; above it HTTP answers 413. */
  bodyBytesMax: 4 * MIB_BYTES,
  /** Characters of the id of a task or an actor. Above: `id.invalid`. Names of systems, agents, routes and stops have at most half; above: `definition.invalid`. */
  idLengthMax: 128,

  /** A snapshot is taken when the bytes since the last one exceed this multiple of the snapshot's own size. */
  snapshotRecordsToStateRatio: 16,
  /** No snapshot before this many bytes of records: short lives need none. */
  snapshotBytesMin: 64 * KIB_BYTES,
  /** Records fetched in the first read while an actor is loaded, as most journals are shorter; more in each further one. */
  loadFirstRecords: 8,
  /** Records fetched in one read while an actor is loaded. */
  loadBatchRecords: 32,
  /** Attempts to commit one turn against refusals and unanswered writes. Above: `journal.contended`, retryable. */
  commitAttemptsMax: 8,
  /** Actors whose state a host keeps in memory between turns; the least recently used leaves first. */
  cachedActorsMax: 4_096,
  /** What a host keeps in memory of an actor or of a stored value is believed for so long without a look at the store. A purge comes much later. */
  actorTrustMs: 10 * MINUTE_MS,
  /** Values a host keeps in memory. */
  cachedValuesMax: 4_096,
  /** Rounds of loading values for one decision. Above: the turn fails. */
  valueLoadsMax: 64,
  /** Inputs that may wait for one actor's turn on one host. Above: `actor.busy`, retryable. */
  actorTurnsQueuedMax: 1_024,

  /** Lifetime of a task that names none. At the deadline the process is compensated and ends `expired`. */
  taskTimeoutMsDefault: 1 * HOUR_MS,
  /** Greatest lifetime that a task may name. Above: refused with `body.invalid`, or `message.invalid` on a topic. */
  taskTimeoutMsMax: 30 * DAY_MS,
  /** Least lifetime that a task may name; a nested route gets it even when its parent has no time left. */
  taskTimeoutMsMin: 1,
  /** How long after its deadline a process may still compensate; undo records are kept for that long. */
  compensationMsMax: 1 * DAY_MS,
  /** A task from a topic without an expiry gets its CloudEvent time plus this. */
  messageLifetimeMsDefault: 1 * DAY_MS,
  /** Two hosts' clocks may differ by this much; a deduplication entry stays this much longer than its message. */
  clockDriftMsMax: 5 * MINUTE_MS,

  /** What ended is purged after this time, and not before nobody can speak of it any more. `TROUPE_RETENTION` and `retentionMs` name another. */
  retentionMsDefault: 7 * DAY_MS,
  /** Least retention that may be configured; 0 purges as soon as nobody can speak of a process any more. */
  retentionMsMin: 0,
  /** An act stays in the audit at least for this time, however short the retention. */
  auditMsMin: 7 * DAY_MS,
  /** Bytes of a message that cannot be used that its dead letter keeps; of a larger one the first, its size and its hash. */
  invalidBytesMax: 256 * KIB_BYTES,
  /** A tombstone stands for so long after its process was purged, and refuses whatever is late all the same. */
  tombstoneMs: 1 * DAY_MS,
  /** Pause between two sweeps of a host that looks for what is to be purged; up to half of it is left out at random. */
  sweepMs: 10 * MINUTE_MS,
  /** Processes that one sweep looks at. There are more: the next sweep goes on there at once. */
  sweepProcessesMax: 1_024,
  /** Actors of single work items in one list of a purged process; it must fit in a value. */
  workActorsListedMax: 4_096,
  /** Processes, and actors of one process, that a sweep purges at once. */
  sweepConcurrency: 8,

  /** Open processes of one host. Above: `system.overloaded`, HTTP 429 with Retry-After, nothing recorded. Nested routes are let in. */
  openProcessesMax: 10_000,
  /** Stops of one route. Above: `definition.invalid`. */
  stopsMax: 1_024,
  /** Characters of what a contract says of its agent. Above: `definition.invalid`. */
  aboutLengthMax: 1_024,
  /** Branches of one parallel stop. Above: `definition.invalid`. */
  branchesMax: 64,
  /** Items of one `forEach`. Above: `slip.too-many-items`. */
  forEachItemsMax: 10_000,
  /** Items of a `forEach` in work at once where the stop names no number; the rest wait. */
  forEachConcurrencyDefault: 8,
  /** Greatest number of items in work at once that a stop may name. Above: `definition.invalid`. */
  forEachConcurrencyMax: 256,
  /** Depth of nested routes. Above: `cycle.depth`. */
  nestingMax: 8,
  /** Pieces of work that one process may ask for: stops, items, nested routes, asks and hand-offs; no retries, no compensations. Above: `cycle.hops`. */
  hopsMax: 20_000,
  /** Asks and other waits that one work item may make. Above: `ask.too-many`. */
  asksPerWorkMax: 256,
  /** Calls of tools and steps that one execution of a handler may make. Above: `step.too-many`. */
  stepsPerWorkMax: 1_024,
  /** Calls, steps and waits of one work item that may fail, over all its attempts. Above: `step.too-many`. */
  failuresPerWorkMax: 1_024,
  /** Greatest `visitsMax` that an agent or route may declare. Above: `definition.invalid`. */
  visitsMaxMax: 1_000,

  /** Time of an agent for one attempt where the stop names none; a nested route has `taskTimeoutMsDefault`. Then: `stop.timeout`, retryable. */
  stopTimeoutMsDefault: 60 * SECOND_MS,
  /** An agent that has given no receipt for a compensation for so long is set aside: the compensations of others go on. */
  undoAnswerMs: 15 * SECOND_MS,
  /** Time in which the receipt of an attempt that is out of time must say how it stands. Then: `stop.timeout`. */
  probeMs: 5 * SECOND_MS,
  /** An answer to a waiting handler is sent again with the near reminder for so long; then as seldom as the reminder rings. */
  answerMs: 30 * SECOND_MS,
  /** Signals of one process that are kept for waits to come. Above: `signal.too-many`, nothing recorded. */
  signalsKeptMax: 64,
  /** Ids of signals that a process has taken and remembers, the last ones: the same id again is the same signal. */
  signalIdsMax: 256,
  /** Greatest time for one call that a tool may name. Above: `definition.invalid`. */
  callTimeoutMsMax: 1 * DAY_MS,
  /** Greatest time for one attempt that a stop may name. Above: `definition.invalid`. */
  stopTimeoutMsMax: 7 * DAY_MS,
  /** Attempts of a stop that names no number, the first included. After the last the stop has failed. */
  attemptsDefault: 3,
  /** Greatest number of attempts that a stop may name; 1 means no retry. Above: `definition.invalid`. */
  attemptsMax: 100,
  /** Pause before a second attempt where the stop names none; it doubles from attempt to attempt, and up to half of it is left out at random. */
  backoffMsDefault: 200,
  /** Pause at which the doubling ends where the stop names none. */
  backoffMsMaxDefault: 30 * SECOND_MS,
  /** Greatest pause between attempts that a stop may name. Above: `definition.invalid`. */
  backoffMsMax: 1 * HOUR_MS,
  /** Attempts of one compensation; they are many because giving up needs a person. After the last: `compensation.failed` and a dead letter. */
  undoAttemptsMax: 12,
  /** Time of an agent or nested route for one attempt of a compensation. Then the next attempt is made. */
  undoTimeoutMs: 60 * SECOND_MS,
  /** Pause before the second attempt of a compensation; it doubles from attempt to attempt, and up to half of it is left out at random. */
  undoBackoffMs: 500,
  /** Pause at which the doubling ends for compensations. */
  undoBackoffMsMax: 30 * SECOND_MS,
  /** Takeovers of one attempt after its host died. Above: `work.crashed`, so that poison work cannot kill hosts for ever. */
  takeoversMax: 5,

  /** Work waiting at one agent actor. Above: `agent.busy`, retryable, nothing recorded. */
  agentQueueMax: 256,
  /** Deduplication entries of one agent actor. Above: `agent.window-full`, retryable, nothing recorded. */
  agentWindowMax: 8_192,
  /** Handlers of one agent running at once in one host where the agent declares no number; further ones wait. */
  agentConcurrencyDefault: 64,
  /** Greatest number of handlers at once that an agent may declare. Above: `definition.invalid`. */
  agentConcurrencyMax: 1_024,
  /** A handler that was told to stop, and a call that outlives its handler, get this long before the work goes on without them. */
  stopGraceMs: 5 * SECOND_MS,

  /** Tools that one agent may declare. Above: `definition.invalid`. */
  toolsMax: 256,
  /** Longest sleep of a handler. Above: `definition.invalid`. */
  sleepMsMax: 30 * DAY_MS,
  /** Parked handlers of one agent that a host keeps in memory; the oldest is dropped and will run again from its records. */
  parkedHandlersMax: 4_096,
  /** A call that no earlier execution made waits this long for its handler to come to everything that is recorded. Then: `step.mismatch`. */
  recordsUnreachedMs: 10 * SECOND_MS,
  /** First pause before what a handler did is offered to its actor again because it could not be recorded; doubles. */
  recordRetryMsMin: 100,
  /** Pause at which that doubling ends; it is offered until it is recorded or refused. */
  recordRetryMsMax: 2 * SECOND_MS,
  /** A write whose fate cannot be read is tried again after twice this, then four times, and so on. */
  commitRetryMs: 50,

  /** A host reports each running piece of work this often to the work's actor. */
  heartbeatMs: 1 * SECOND_MS,
  /** Heartbeats that must be missed before another host may take work over. */
  heartbeatsMissedMax: 3,

  /** Period of the reminder while a process has unanswered effects. */
  reminderNearMs: 3 * SECOND_MS,
  /** A host that has a reminder near believes that it is, for so long after it was set or rang there. */
  reminderTrustMs: 5 * SECOND_MS,
  /** The reminder of an open process is never further away than this. */
  reminderAwayMsMax: 10 * MINUTE_MS,
  /** A process with nothing unanswered moves its reminder away only when its next moment is at least this far. */
  reminderAwayMsMin: 30 * SECOND_MS,
  /** A request that was sent is sent again when its answer has been missing for this long. */
  resendMs: 2 * SECOND_MS,
  /** While the receiver's receipt is younger than this, a request is not sent again: the receiver has it in its journal. */
  receiptTrustMs: 2.5 * SECOND_MS,

  /** A host that Dapr called for an actor this lately takes the actor to be here still. */
  placementTrustMs: 10 * SECOND_MS,
  /** A process that began where its task was submitted goes to the host where placement has it when it is open for longer. */
  begunTrustMs: 2 * SECOND_MS,
  /** Ids made by a host that it takes to be new without looking. */
  madeIdsMax: 4_096,
  /** Reminders that a host remembers having set. */
  knownRemindersMax: 65_536,
  /** Receipts that a host remembers. */
  knownReceiptsMax: 65_536,
  /** Open processes that a starting host nudges at once. */
  recoveryConcurrency: 16,
  /** Pause before a starting host looks for open processes again when the index does not answer. */
  recoveryRetryMs: 500,
  /** Time for one call to the sidecar before it is given up and asked again. */
  sidecarCallMs: 5 * SECOND_MS,
  /** Deliveries of one submitted task before its caller is told that the sidecar does not answer. */
  submitAttemptsMax: 3,
  /** Greatest `waitMs` of POST /tasks. Above: `body.invalid`. */
  waitMsMax: 60 * SECOND_MS,
  /** Followers of processes (GET /processes/:id/events) of one host. Above: `stream.too-many`, HTTP 429. */
  followStreamsMax: 256,
  /** Looks at followed processes under way at once in one host; the others wait. */
  followLooksMax: 8,
  /** Least pause between two looks at a followed process; while nothing happens it doubles. */
  followLookMsMin: 100,
  /** Pause at which that doubling ends: so late a follower may hear of a process of another host. */
  followLookMsMax: 2 * SECOND_MS,
  /** A follower hears at least a comment this often, so that nothing on the way takes the stream to be dead. */
  followKeepAliveMs: 15 * SECOND_MS,
  /** Length of one stream; then it ends, and whoever follows comes again with Last-Event-ID and the token. */
  followMsMax: 1 * HOUR_MS,
  /** Requests with a wrong token or none that a host answers each second with 401. Above: `auth.too-many`, HTTP 429, until the second is over. */
  refusalsPerSecondMax: 100,
  /** Entries in the file of tokens. Above: `tokens.invalid`. */
  tokensMax: 1_024,
  /** Messages of one subscriber waiting for their turn in one host. Above: the broker is asked to deliver again. */
  subscriberQueueMax: 2_048,
  /** Messages that cannot be used and wait for the dead letter queue in one host, on a broker that must be answered at once. Above: the broker is asked to deliver again. */
  invalidQueueMax: 64,
  /** Time a stopping host waits for turns and handlers in flight. */
  drainMs: 10 * SECOND_MS,

  /** Width of one bucket of the index of processes. */
  indexBucketMs: 10 * MINUTE_MS,
  /** Entries of one bucket; a further one opens the next bucket of the same slice of time. */
  indexBucketEntriesMax: 2_048,
  /** Entries in one write to the index. */
  indexBatchMax: 256,
  /** Time that the line of an ended process waits for others, to be written together with them. */
  indexLingerMs: 25,
  /** Buckets of an index. Above: `index.full`, retryable. */
  indexBucketsMax: 16_384,
  /** Buckets of one slice that an entry which names its bucket is tried in. Then: `index.full`, retryable. */
  indexPartsMax: 64,
  /** Buckets looked through for one page of a listing; a page that found less than was asked for then ends, with a cursor. */
  pageBucketsMax: 64,
  /** Buckets whose entries a host keeps in memory for listings; the least recently used leaves first. */
  listedBucketsMax: 128,
  /** Entries on one page of a listing. More asked for: `body.invalid`. */
  pageEntriesMax: 200,
  /** Pieces of work of a process that GET /processes/:id/stops shows, the newest ones. */
  stopsShownMax: 256,
  /** Records of a process that are read for them, the newest ones. */
  stopsRecordsMax: 4_096,
  /** Contents shown with them together, the newest first; the other inputs and outputs are left out. */
  stopsContentBytesMax: 4 * MIB_BYTES,
  /** Earlier runs that a process remembers, the last ones. */
  runsKeptMax: 16,
  /** Cancellations and decisions that a process remembers, the last ones: at most two belong to one run. */
  actsKeptMax: 32,
  /** Lines in the history of a process, and faults kept of one piece of work; the oldest leave first. */
  historyMax: 64,

  /** Characters of a condition (`when`). Above: `definition.invalid`, or `slip.condition` in a slip that was sent. */
  conditionLengthMax: 2_000,
  /** Parts of a condition, as the parser counts them. Above: as for its length. */
  conditionNodesMax: 500,
  /** Levels of a condition, such as parentheses in parentheses. Above: as for its length. */
  conditionDepthMax: 32,
  /** Steps of one evaluation of a condition; each item that a macro goes through is some. Above: `slip.condition`. */
  conditionStepsMax: 1_000_000,
  /** Parsed conditions that are kept; the oldest is forgotten. */
  conditionsCachedMax: 512,
} as const;

function relation(holds: boolean, text: string): void {
  if (!holds) throw new Error(`limits.ts: ${text}`);
}

relation(LIMITS.valueBytesMax <= LIMITS.messageBytesMax, "a value must fit in a message");
relation(LIMITS.invalidBytesMax * 3 < LIMITS.valueBytesMax, "the bytes of poison fit in a value, however they are written");
relation(LIMITS.messageBytesMax < LIMITS.bodyBytesMax, "a message must fit in a body with its envelope");
relation(LIMITS.recordBytesMax < LIMITS.bodyBytesMax, "a record must fit in a body with its envelope");
relation(LIMITS.actorTrustMs * 2 < LIMITS.tombstoneMs, "a tombstone stands longer than anybody believes in what was there");
relation(LIMITS.actorTrustMs * 2 < LIMITS.compensationMsMax, "nobody believes in a process for as long as it takes until it may be purged");
relation(LIMITS.resendMs <= LIMITS.reminderNearMs, "a near reminder must find unanswered requests due");
relation(LIMITS.begunTrustMs < LIMITS.reminderNearMs, "a process must be handed over before its first reminder rings");
relation(
  LIMITS.receiptTrustMs < LIMITS.reminderNearMs,
  "each ring of a near reminder asks again for what has no answer, as the answer may be lost",
);
relation(LIMITS.reminderNearMs < LIMITS.reminderTrustMs, "what is near rings before it is no longer believed");
relation(LIMITS.reminderNearMs < LIMITS.reminderAwayMsMin, "near must be nearer than away");
relation(LIMITS.reminderAwayMsMin < LIMITS.reminderAwayMsMax, "away has a range");
relation(LIMITS.pageBucketsMax <= LIMITS.listedBucketsMax, "the buckets of one page fit in memory");
relation(LIMITS.followLookMsMin < LIMITS.followLookMsMax, "looks have a range");
relation(LIMITS.stopTimeoutMsDefault < LIMITS.taskTimeoutMsDefault, "a stop must fit in a task");
