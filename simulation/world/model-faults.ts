/** @module What providers and models may do wrong in a run, and how often. */

/**
 * Probabilities of what providers and models do, for one request, 0 to 1. What providers do ends with the faults; what models say does
 * not.
 */
export interface ModelRates {
  /** A provider of models answers 429, with or without a time to wait. */
  readonly modelBusy: number;
  /** A provider fails with an error of its own. */
  readonly modelFails: number;
  /** A provider does not answer in time; the reply was made or not. */
  readonly modelHangs: number;
  /** A reply breaks off on its way. It is paid for. */
  readonly modelCut: number;
  /** A reply is made, and paid for, long after its attempt was given up. */
  readonly modelLate: number;
  /** A model answers, or calls a tool, with what does not fit the schema. */
  readonly modelInvalid: number;
  /** A reply ends at its limit of output tokens, also where the part that came can be parsed. */
  readonly modelTruncated: number;
  /** A model calls a tool that it was not given. */
  readonly modelWrongTool: number;
  /** A model makes calls in each reply of a conversation, often the same one. */
  readonly modelLoops: number;
  /** A model hands on all that it gets, as all models of its process do. */
  readonly modelHandsOn: number;
  /** A model makes the call that a text of the conversation demands, or one of a tool that it names. */
  readonly modelObeys: number;
  /** A model makes a call again that it has made. */
  readonly modelRepeats: number;
  /** A model declines to answer. */
  readonly modelRefuses: number;
  /** A reply has neither text nor calls. */
  readonly modelEmpty: number;
  /** A filter of the provider stops the request or the reply. */
  readonly modelFilters: number;
  /** A conversation is too long for its model. */
  readonly modelOverflows: number;
  /** A provider counts more tokens than were reserved. */
  readonly modelOverruns: number;
  /** A provider does not count the tokens. */
  readonly modelUncounted: number;
}

/** Providers that always answer, and models that say what fits. */
export const NO_MODEL_FAULTS: ModelRates = {
  modelBusy: 0,
  modelFails: 0,
  modelHangs: 0,
  modelCut: 0,
  modelLate: 0,
  modelInvalid: 0,
  modelTruncated: 0,
  modelWrongTool: 0,
  modelLoops: 0,
  modelHandsOn: 0,
  modelObeys: 0,
  modelRepeats: 0,
  modelRefuses: 0,
  modelEmpty: 0,
  modelFilters: 0,
  modelOverflows: 0,
  modelOverruns: 0,
  modelUncounted: 0,
};

/** The highest rates of what providers do. A seed has some of the kinds, each with a part of its rate. */
const PROVIDER_FAULTS = {
  modelBusy: 0.2,
  modelFails: 0.2,
  modelHangs: 0.06,
  modelCut: 0.1,
  modelLate: 0.08,
  modelOverflows: 0.08,
  modelOverruns: 0.1,
  modelUncounted: 0.1,
} satisfies Partial<ModelRates>;

/** The highest rates of what models say. */
export const ADVERSARY = {
  modelInvalid: 0.3,
  modelTruncated: 0.15,
  modelWrongTool: 0.15,
  modelLoops: 0.3,
  modelHandsOn: 0.2,
  modelObeys: 0.6,
  modelRepeats: 0.2,
  modelRefuses: 0.1,
  modelEmpty: 0.1,
  modelFilters: 0.05,
} satisfies Partial<ModelRates>;

/** Models that say what fits. */
export const NO_MINDS = Object.fromEntries(Object.keys(ADVERSARY).map((kind) => [kind, 0])) as Readonly<Record<keyof typeof ADVERSARY, 0>>;

/** The highest rates of both. */
export const ALL_MODEL_FAULTS: ModelRates = { ...PROVIDER_FAULTS, ...ADVERSARY };

/** What they do, as a reader of a trace sees it. */
export const MODEL_FAULT_TEXTS: Readonly<Record<keyof ModelRates, string>> = {
  modelBusy: "the provider of a model asks to wait",
  modelFails: "the provider of a model fails",
  modelHangs: "the provider of a model does not answer in time",
  modelCut: "the reply of a model breaks off",
  modelLate: "the reply of a model is made long after it was given up",
  modelInvalid: "the model says what does not fit the schema",
  modelTruncated: "the reply of the model is cut at its limit",
  modelWrongTool: "the model calls a tool that it does not have",
  modelLoops: "the model goes on making calls",
  modelHandsOn: "the model hands on what it got",
  modelObeys: "the model does what it has read",
  modelRepeats: "the model makes a call again",
  modelRefuses: "the model refuses",
  modelEmpty: "the model says nothing",
  modelFilters: "a filter of the provider stops the model",
  modelOverflows: "the conversation is too long for the model",
  modelOverruns: "the provider counts more than was reserved",
  modelUncounted: "the provider counts nothing",
};
