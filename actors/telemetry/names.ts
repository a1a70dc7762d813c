/**
 * @module The names of all telemetry: spans, their attributes, metrics.
 *
 * Our own names begin with `troupe.`; the others are OpenTelemetry's. Those of `gen_ai` follow the semantic conventions
 * for generative AI (repository open-telemetry/semantic-conventions-genai, all in status Development). Agents are named
 * by them already; the names for models and tools are reserved here.
 */

/** Names of spans. An execution of a handler is the `troupe.effect` of its agent. */
export const SPAN = { task: "troupe.task", turn: "troupe.turn", message: "troupe.message", effect: "troupe.effect" } as const;

/** Names of attributes of spans and metrics. Metrics carry only those with few values, never ids. */
export const ATTRIBUTE = {
  system: "troupe.system",
  process: "troupe.process.id",
  route: "troupe.route",
  status: "troupe.outcome",
  message: "troupe.message.id",
  kind: "troupe.message.kind",
  actor: "troupe.actor",
  effect: "troupe.effect.kind",
  work: "troupe.work.id",
  mode: "troupe.work.mode",
  attempt: "troupe.work.attempt",
  sequence: "troupe.journal.sequence",
  fault: "error.type",
  operation: "gen_ai.operation.name",
  agent: "gen_ai.agent.name",
  agentVersion: "gen_ai.agent.version",
  conversation: "gen_ai.conversation.id",
  provider: "gen_ai.provider.name",
  requestModel: "gen_ai.request.model",
  responseModel: "gen_ai.response.model",
  finishReasons: "gen_ai.response.finish_reasons",
  inputTokens: "gen_ai.usage.input_tokens",
  outputTokens: "gen_ai.usage.output_tokens",
  tokenType: "gen_ai.token.type",
  tool: "gen_ai.tool.name",
  toolType: "gen_ai.tool.type",
  toolCall: "gen_ai.tool.call.id",
} as const;

/** The value of `gen_ai.operation.name` for an execution of an agent's handler. */
export const INVOKE_AGENT = "invoke_agent";

/** Names of metrics. Durations are in seconds. */
export const METRIC = {
  open: "troupe.process.open",
  outcomes: "troupe.process.outcomes",
  deadLetters: "troupe.dead_letters",
  attempts: "troupe.work.attempts",
  queue: "troupe.work.queue.length",
  turn: "troupe.turn.duration",
  hop: "troupe.hop.duration",
  modelTokens: "gen_ai.client.token.usage",
  modelCall: "gen_ai.client.operation.duration",
} as const;
