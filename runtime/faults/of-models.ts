/** @module The part of the fault table for models, their gateway, and budgets. */
import type { FaultRow } from "./row.ts";

/** Faults of model calls, of what models say, and of budgets. */
export const MODEL_FAULTS = {
  "model.unavailable": {
    retryable: true,
    httpStatus: 503,
    meaning: "The provider of the model did not answer: no connection, a timeout, an error of its own, a cut answer, or an open breaker.",
    fix: "Nothing: the call is made again. If it happens often, add an endpoint to the model.",
  },
  "model.rate-limited": {
    retryable: true,
    httpStatus: 429,
    meaning: "The provider asks to wait before the next call.",
    fix: "Nothing: the call is made again after the pause. If it happens often, raise the limit at the provider or lower the rate.",
  },
  "model.busy": {
    retryable: true,
    httpStatus: 503,
    meaning: "Too many calls wait for the model on this host. This one was not made.",
    fix: "Nothing: the call is made again. If it happens often, raise the concurrency of its endpoints, or add an endpoint or a host.",
  },
  "model.quota": {
    retryable: false,
    httpStatus: 402,
    meaning: "The account at the provider has no credit left.",
    fix: "Pay the provider, or use another endpoint; then redrive.",
  },
  "model.rejected": {
    retryable: false,
    httpStatus: 502,
    meaning: "The provider refused the request: a wrong key, an unknown model, or parameters that it does not take.",
    fix: "Read the provider's message; correct the endpoint in the system's models.",
  },
  "model.malformed": {
    retryable: true,
    httpStatus: 502,
    meaning: "The provider's answer is not an answer of its protocol, such as an HTML page or an empty object.",
    fix: "Check the base URL. If it happens at times, nothing: the call is made again.",
  },
  "model.context-length": {
    retryable: false,
    httpStatus: 413,
    meaning: "The conversation is longer than the model takes, or the provider cut it silently.",
    fix: "Shorten tool results, or use a model with a larger context.",
  },
  "model.filtered": {
    retryable: false,
    httpStatus: 422,
    meaning: "A content filter of the provider stopped the request or the reply.",
    fix: "Read the conversation; change what is sent.",
  },
  "model.refused": {
    retryable: false,
    httpStatus: 422,
    meaning: "The model declined to answer.",
    fix: "Read the refusal in the details; change the instructions or the task.",
  },
  "model.truncated": {
    retryable: false,
    httpStatus: 502,
    meaning: "The reply met the limit of output tokens before its end. Nothing of it was used.",
    fix: "Raise outputTokensMax of the agent.",
  },
  "model.empty": {
    retryable: false,
    httpStatus: 502,
    meaning: "The reply has neither text nor calls.",
    fix: "Read the conversation; use another model.",
  },
  "model.answer": {
    retryable: false,
    httpStatus: 502,
    meaning: "The answer does not fit the output schema of the agent's contract, also after it was told what is wrong.",
    fix: "Read the errors in the details; simplify the schema or the instructions, or use another model.",
  },
  "model.ungrounded": {
    retryable: false,
    httpStatus: 502,
    meaning: "The answer has claims that stand in no evidence, also after it was told which. The agent's option `grounding` refuses them.",
    fix: "Read the claims in the details; give the model what it needs to know, check fewer kinds of claims, or let them only be counted.",
  },
  "model.tool-unknown": {
    retryable: false,
    httpStatus: 502,
    meaning: "The model called a tool that it was not given.",
    fix: "Name the tools in the instructions as they are declared, or use another model.",
  },
  "model.tool-input": {
    retryable: false,
    httpStatus: 502,
    meaning: "The arguments of a tool call are not JSON or do not fit the tool's input schema. The call was not made.",
    fix: "Read the errors in the details; simplify the schema of the tool.",
  },
  "model.loop": {
    retryable: false,
    httpStatus: 508,
    meaning: "The model repeats the same call with the same result, or has used all the model calls that the agent allows.",
    fix: "Read the calls in the details; correct the tool or the instructions, or raise callsMax.",
  },
  "model.mismatch": {
    retryable: false,
    httpStatus: 409,
    meaning: "The request that the handler rebuilds differs from the recorded one: instructions, tools or code have changed.",
    fix: "Give the agent a new version, so that only new work items use the change; redrive this one.",
  },
  "model.unknown": {
    retryable: false,
    httpStatus: 500,
    meaning: "This host has no endpoint for the model of an agent.",
    fix: "Add the model to the models of the system, or set the key or the base URL that its endpoint needs.",
  },
  "budget.exhausted": {
    retryable: false,
    httpStatus: 402,
    meaning: "The next call could exceed the budget of the work item or its process. It was not made.",
    fix: "Raise the budget of the route, stop or agent; then redrive.",
  },
  "budget.price": {
    retryable: false,
    httpStatus: 500,
    meaning: "Money is budgeted, but the price of the model is unknown. The call was not made.",
    fix: "Give the endpoint a price.",
  },
  "budget.overrun": {
    retryable: false,
    httpStatus: 402,
    meaning: "The provider reported more than was reserved, and the budget is used up. Nothing further is bought.",
    fix: "Raise the budget; check that the endpoint keeps to outputTokensMax.",
  },
} as const satisfies Readonly<Record<string, FaultRow>>;
