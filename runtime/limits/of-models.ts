/** @module The part of the limits for models: what a model agent may be given, how its loop is bounded, and the gateway. */
import { KIB_BYTES, MIB_BYTES, MINUTE_MS, SECOND_MS } from "../units.ts";

/** Limits of model agents. */
export const MODEL_LIMITS = {
  /** Maximum of each number of a budget; of money, in millionths of a US dollar. Above: `definition.invalid`. */
  budgetCountMax: 1_000_000_000_000,
  /** Agents and nested routes whose spending a process shows apart. Further ones are counted together. */
  spentAgentsMax: 32,
  /** Models whose spending a process shows apart for each agent. Further ones are counted together. */
  spentModelsMax: 16,
  /** Places that are kept in a budget for the asks of one work item. An agent that declares more asks gets its larger share sooner. */
  budgetAskPlacesMax: 3,
  /** Pause in which the pieces of replies are collected before they are sent to the host of their process. */
  deltaBatchMs: 200,
  /** Pause between two tries to send pieces of replies to a host where no follower reads them. */
  deltaProbeMs: 2 * SECOND_MS,
  /** Characters of pieces of replies that wait to be sent, for each process. Above: the oldest are dropped. */
  deltaPendingCharsMax: 16 * KIB_BYTES,
  /** Time after the last read of a follower for which pieces of replies are kept for it. */
  deltaFollowedMs: 30 * SECOND_MS,
  /** Processes of which a host keeps pieces of replies; the least recently followed is forgotten. */
  deltaRingsMax: 256,
  /** Characters of the pieces that are kept of one process; the oldest are dropped first. */
  deltaRingCharsMax: 64 * KIB_BYTES,
  /** Pieces that are kept of one process; the oldest are dropped first. */
  deltaRingEntriesMax: 2_048,
  /** Model calls of one process of which it is known that they began before; the oldest are forgotten. */
  deltaRingCallsMax: 256,
  /** Minimum pause between two reads of the pieces of a followed process; it doubles while there are none. */
  deltaLookMsMin: 200,
  /** The greatest such pause. */
  deltaLookMsMax: 1 * SECOND_MS,
  /** Tools, asks and hand-offs together that one model agent may offer. Above: `definition.invalid`. */
  modelToolsMax: 128,
  /** Characters of the name of a function that a model is offered. Above: `definition.invalid`. */
  modelFunctionNameLengthMax: 64,
  /** Characters of the instructions of a model agent. Above: `definition.invalid`. */
  modelInstructionsLengthMax: 100_000,
  /** Model calls of one run of a model agent that sets no `callsMax`; the last one must answer. Above: `model.loop`. */
  modelCallsDefault: 32,
  /** Claims of one answer that are looked for in its evidence. Further ones are not counted. */
  answerClaimsMax: 256,
  /** Maximum `callsMax` of a model agent. Above: `definition.invalid`. */
  modelCallsMax: 1_000,
  /** Calls that one reply of a model may ask for. Above: the reply is refused as `model.tool-input`. */
  modelParallelCallsMax: 64,
  /** Output tokens of one model call of an agent that sets no number. */
  modelOutputTokensDefault: 4_096,
  /** Maximum `outputTokensMax` of a model agent. Above: `definition.invalid`. */
  modelOutputTokensMax: 1_000_000,
  /** Bytes of one tool result in the request to a model. Above: cut, with a note that says so. */
  modelResultBytesMax: 32 * KIB_BYTES,
  /** Bytes of a refused reply that are repeated to the model with its errors. Above: cut. */
  modelEchoBytesMax: 4 * KIB_BYTES,
  /** Violations of a schema that are told to a model at once. */
  modelViolationsMax: 8,
  /** Bytes of each message in the request for a summary. Above: cut. */
  modelSummaryMessageBytesMax: 2 * KIB_BYTES,
  /** Rounds in a row of calls that were made before with the same results. At this number: `model.loop`. */
  modelRepeatsMax: 3,
  /** Calls that a fault `model.loop` names; the last ones. */
  modelRingCallsMax: 8,
  /** Rungs of the repair ladder of one model agent. Above: `definition.invalid`. */
  modelRungsMax: 16,
  /** Models that an agent may name as `fallback`. Above: `definition.invalid`. */
  modelFallbacksMax: 8,
  /** The real number of input tokens is at most this multiple of the estimate; one byte of text is at most one token. */
  modelTokensSafetyRatio: 1.5,
  /** A provider that reports fewer input tokens than this share of the estimate of the messages has cut them: `model.context-length`. */
  modelTokensSeenRatio: 0.4,
  /** Estimated tokens of the messages below which a report that is too small is not taken as a cut. */
  modelTokensSeenMin: 1_024,
  /** Tries of a model call after transient faults if its agent sets no number, including the first. After the last: its fault. */
  modelTriesDefault: 5,
  /** Pause before the second try of a model call. It doubles with each try; up to half of it is subtracted at random. */
  modelBackoffMs: 500,
  /** Maximum of that pause. */
  modelBackoffMsMax: 20 * SECOND_MS,
  /** Time from the first try of a model call after which no further one begins. */
  modelElapsedMsMax: 3 * MINUTE_MS,
  /** Time that a stopping host leaves its open model calls: what they have cost is not lost, if they end in it. Below `stopGraceMs`. */
  modelDrainMs: 3 * SECOND_MS,
  /** A provider that asks for a longer pause is not waited for: the call fails, and its agent may use another model. */
  modelRetryAfterMsMax: 60 * SECOND_MS,
  /** Timeout of an attempt of a model agent if the stop sets none; the tries of one model call take less. After it: `stop.timeout`. */
  modelStopTimeoutMsDefault: 10 * MINUTE_MS,
  /** Output tokens of the last answer of an agent whose budget is used up. */
  modelLastAnswerTokensMax: 1_024,

  /** Time of one attempt at an endpoint of a model if the endpoint sets none. After it: `model.unavailable`, retryable. */
  modelTimeoutMsDefault: 2 * MINUTE_MS,
  /** Attempts at one endpoint at the same time in one host if the endpoint sets no number; further calls wait. */
  endpointConcurrencyDefault: 64,
  /** Maximum number of attempts at the same time that an endpoint may set. Above: `definition.invalid`. */
  endpointConcurrencyMax: 10_000,
  /** Endpoints of one model. Above: `definition.invalid`. */
  endpointsMax: 64,
  /** Models of one system. Above: `definition.invalid`. */
  modelsMax: 256,
  /** Calls that wait for an endpoint of one model in one host. Above: `model.busy`, retryable, nothing sent. */
  modelQueueMax: 4_096,
  /** Longest pause of a provider that a call waits for in the gateway. A longer one is a fault `model.rate-limited`, which is recorded. */
  modelWaitMsMax: 10 * SECOND_MS,
  /** Window of the rate limits of an endpoint. */
  rateWindowMs: 1 * MINUTE_MS,
  /** Last calls of an endpoint, a tool or an MCP server on which its breaker decides. */
  breakerCalls: 20,
  /** Calls below which a breaker does not open. */
  breakerCallsMin: 5,
  /** First pause of an open breaker before it lets one call through; it doubles while that call fails. */
  breakerPauseMs: 5 * SECOND_MS,
  /** Maximum of that pause. */
  breakerPauseMsMax: 1 * MINUTE_MS,
  /** Interval at which a host that makes model calls reads which endpoints rest. */
  modelsReadMs: 1 * SECOND_MS,
  /** Interval at which a host that makes model calls reads settings that may have changed. */
  settingsReadMs: 10 * SECOND_MS,
  /** Pause before a host tries again to connect an endpoint whose key or secret store was missing. */
  connectRetryMs: 10 * SECOND_MS,
  /** Time for which an endpoint whose account or key is refused takes no calls, if the model has another endpoint that can. */
  accountRestMs: 1 * MINUTE_MS,
  /** How long a host waits for a secret. */
  connectMs: 10 * SECOND_MS,
  /** Longest pause that hosts share about an endpoint. Of a longer one, other hosts learn by a call of their own. */
  sharedRestMsMax: 10 * MINUTE_MS,
  /** Body of a model's reply. Above: `model.malformed`. */
  modelBodyBytesMax: 8 * MIB_BYTES,
} as const;
