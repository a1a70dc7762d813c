/**
 * @module The names of all telemetry: spans, their attributes, metrics.
 *
 * Our own names begin with `troupe.`; the others are OpenTelemetry's. Those of `gen_ai` follow the semantic conventions
 * for generative AI (repository open-telemetry/semantic-conventions-genai, all in status Development).
 */

/** Names of our own spans. Those of agents, models, tools and routes begin with the name of their operation. */
export const SPAN = {
  task: "troupe.task",
  turn: "troupe.turn",
  message: "troupe.message",
  wait: "troupe.wait",
  waitEnded: "troupe.wait.ended",
  reopened: "troupe.reopened",
  decision: "troupe.decision",
} as const;

/** Names of attributes of spans and metrics. Metrics carry only those with few values, never ids. */
export const ATTRIBUTE = {
  system: "troupe.system",
  process: "troupe.process.id",
  route: "troupe.route",
  status: "troupe.outcome",
  message: "troupe.message.id",
  kind: "troupe.message.kind",
  actor: "troupe.actor",
  run: "troupe.run",
  stop: "troupe.stop",
  act: "troupe.act",
  waitKind: "troupe.wait.kind",
  waitSeconds: "troupe.wait.seconds",
  request: "troupe.request.id",
  person: "troupe.person",
  link: "troupe.link",
  work: "troupe.work.id",
  mode: "troupe.work.mode",
  attempt: "troupe.work.attempt",
  sequence: "troupe.journal.sequence",
  source: "troupe.source",
  fault: "error.type",
  withheldWhy: "troupe.memory.why",
  driftKind: "troupe.drift.kind",
  driftTime: "troupe.drift.time",
  operation: "gen_ai.operation.name",
  agent: "gen_ai.agent.name",
  workflow: "gen_ai.workflow.name",
  agentVersion: "gen_ai.agent.version",
  conversation: "gen_ai.conversation.id",
  provider: "gen_ai.provider.name",
  requestModel: "gen_ai.request.model",
  maxTokens: "gen_ai.request.max_tokens",
  temperature: "gen_ai.request.temperature",
  seed: "gen_ai.request.seed",
  outputType: "gen_ai.output.type",
  inputMessages: "gen_ai.input.messages",
  outputMessages: "gen_ai.output.messages",
  endpoint: "troupe.model.endpoint",
  responseModel: "gen_ai.response.model",
  finishReasons: "gen_ai.response.finish_reasons",
  inputTokens: "gen_ai.usage.input_tokens",
  outputTokens: "gen_ai.usage.output_tokens",
  tokenType: "gen_ai.token.type",
  tool: "gen_ai.tool.name",
  toolType: "gen_ai.tool.type",
  toolCall: "gen_ai.tool.call.id",
  toolArguments: "gen_ai.tool.call.arguments",
  toolResult: "gen_ai.tool.call.result",
  toolEffect: "troupe.tool.effect",
  verdict: "troupe.check.verdict",
  untrusted: "troupe.check.untrusted",
  promptVersion: "troupe.prompt.version",
  release: "troupe.release",
  version: "troupe.version",
  versions: "troupe.versions",
  automatic: "troupe.release.automatic",
} as const;

/** The value of `gen_ai.operation.name` for an execution of an agent's handler. */
export const INVOKE_AGENT = "invoke_agent";
/** The same for one run of a process. The span has the name of the route too. */
export const INVOKE_WORKFLOW = "invoke_workflow";
/** The value of `gen_ai.provider.name` for agents: the agent is run by this library. The calls of its models name theirs. */
export const OWN_PROVIDER = "troupe";
/** The same for one try of a model call. The span has the name of the model too. */
export const CHAT = "chat";
/** The same for one execution of a tool. The span has the name of the tool too. */
export const EXECUTE_TOOL = "execute_tool";

/** Opt-in by OpenTelemetry's variable: with `true`, spans carry what is sent to models and tools and what they answer. */
export const CONTENT_VARIABLE = "OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT";

/** Names of metrics. Durations are in seconds. */
export const METRIC = {
  open: "troupe.process.open",
  outcomes: "troupe.process.outcomes",
  deadLetters: "troupe.dead_letters",
  comparisons: "troupe.source.comparisons",
  attempts: "troupe.work.attempts",
  checks: "troupe.tool.checks",
  queue: "troupe.work.queue.length",
  turn: "troupe.turn.duration",
  hop: "troupe.hop.duration",
  withheld: "troupe.memory.withheld",
  coordination: "troupe.process.coordination",
  driftMean: "troupe.drift.mean",
  drifted: "troupe.drift.drifted",
  releaseStops: "troupe.release.stops",
  releaseShare: "troupe.release.canary.share",
  releaseBroken: "troupe.release.canary.broken",
  modelTokens: "gen_ai.client.token.usage",
  modelCall: "gen_ai.client.operation.duration",
} as const;
