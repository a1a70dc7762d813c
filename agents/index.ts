/**
 * @module The public API of `troupe`: contracts, agents, routes and systems, without Dapr.
 */
import "../runtime/zod-version.ts";
export { agent, type AgentDefinition, type AgentOptions, type Answer } from "./agent.ts";
export type { Budget } from "./budget.ts";
export type { StopOptions } from "./stop-options.ts";
export type { Judgement, ValidateOptions } from "./validate.ts";
export {
  type AgentLog,
  type BaseContext,
  type DeepReadonly,
  type HandlerContext,
  type HandOff,
  handOffTo,
  isHandOff,
  type Principal,
  type RuntimeContext,
  type RuntimeUndoContext,
  type SentBackOutput,
  type StateContext,
  type StepTools,
  type UndoContext,
  type WaitForOptions,
} from "./context.ts";
export {
  type Callable,
  type Contract,
  contract,
  type ContractOptions,
  type InputOf,
  type OutputOf,
  type Relations,
  type RemoteAgent,
  remote,
} from "./contract.ts";
export { type Person, person, type PersonOptions } from "./person.ts";
export { type OnExpiry, type PersonData, Verdict } from "../runtime/people/request.ts";
export { type PlannedRoute, plannedRoute, type PlannedRouteOptions } from "./planned-route.ts";
export type { Plan } from "../runtime/plan.ts";
export type { Branch, MakeBranch } from "./branch.ts";
export {
  type ForEachOptions,
  route,
  RouteBuilder,
  type RouteContract,
  routeContract,
  type RouteDefinition,
  type RouteOptions,
  type RouteTarget,
} from "./route.ts";
export {
  tool,
  type ToolCall,
  type ToolDefinition,
  type ToolEffect,
  type ToolInput,
  type ToolOptions,
  type ToolOutput,
  type UnknownEnd,
} from "./tool.ts";
export { model, type ModelAgentOptions, type ModelBudget, type ModelOptions, type ModelSettings } from "./model/model.ts";
export type { ClaimKind } from "../runtime/model/claims.ts";
export type { Rung } from "../runtime/model/ladder.ts";
export {
  type Endpoint,
  endpoint,
  type EndpointEnvironment,
  type EndpointLimits,
  type EndpointOptions,
  type EndpointSettings,
  type ModelPrice,
  type Provider,
  type ProviderCall,
} from "./model/endpoint.ts";
export { openai, type OpenAiOptions } from "./model/openai.ts";
export { PRICES, type PriceTable } from "./model/prices.ts";
export { type Configured, configuration, secret, type SecretReference } from "./model/reference.ts";
export type { FactsOptions, MemoryOptions } from "./memory.ts";
export type { FactDraft, FactQuery, FactView } from "../runtime/memory/view.ts";
export { source, type SourceCall, type SourceDefinition, type SourceOptions, type SourcePage } from "./source.ts";
export { type System, system, type SystemOptions, type SystemRoute } from "./system.ts";
export {
  defineFault,
  Fault,
  type FaultCode,
  type FaultDefinition,
  type FaultMaker,
  type FaultMore,
  type FaultOptions,
  FAULTS,
  isFault,
  isFaultCode,
  isRetryable,
  type Json,
  rulesOf,
  type WireFault,
} from "../runtime/faults.ts";
export { findUnboundedRing, type Graph, graphOf, graphText, mermaid, type Ring, ringText } from "../runtime/graph.ts";
export { LIMITS } from "../runtime/limits.ts";
export type {
  AskedCall,
  ModelDelta,
  ModelMessage,
  ModelReply,
  ModelRequest,
  ModelTool,
  ModelUsage,
} from "../runtime/model/conversation.ts";
export { type Gate, gate, type JsonSchema, jsonSchemaOf } from "../runtime/schema.ts";
export { type AgentData, type RetryPolicy, RouteData, Slip } from "../runtime/slip.ts";
