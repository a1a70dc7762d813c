/** @module Shapes of answers that are one body. */
import { call, HELLO, message, MODEL, PAGE, PAY, PAYS, type Shape, USED, whole } from "./shape-parts.ts";

/** Texts, and bodies that are none. */
export const BODIES: readonly Shape[] = [
  whole("a text", message({ content: "Hello." }), { reply: { ...HELLO, model: MODEL, usage: USED } }),
  whole("no usage", message({ content: "Hello." }, "stop", { usage: undefined }), { reply: HELLO }),
  whole("no model named", message({ content: "Hello." }, "stop", { model: undefined }), { reply: { ...HELLO, model: "asked-model" } }),
  whole("an error with status 200", { error: { message: "overloaded", type: "server_error" } }, { fault: "model.unavailable" }),
  whole("an error as a text with status 200", { error: "model requires more memory" }, { fault: "model.unavailable" }),
  whole("an error with a numeric code and status 200", { error: { message: "bad", code: 400 } }, { fault: "model.rejected" }),
  whole("an empty object", {}, { fault: "model.malformed" }),
  whole("an empty list of choices", { model: MODEL, choices: [] }, { fault: "model.malformed" }),
  whole("choices that are null", { model: MODEL, choices: null }, { fault: "model.malformed" }),
  whole("a choice without a message", { model: MODEL, choices: [{ index: 0, finish_reason: "stop" }] }, { fault: "model.malformed" }),
  whole("an HTML page with status 200", PAGE, { fault: "model.malformed" }, 200, { "content-type": "text/html" }),
  whole("an empty body with status 200", "", { fault: "model.malformed" }),
  whole("a list", "[1]", { fault: "model.malformed" }),
  whole("half of a body", '{"choices":[{"message":{"content":"Hel', { fault: "model.malformed" }),
  whole("content that is null, without calls", message({ content: null }), { reply: { text: "", calls: [], finish: "stop" } }),
  whole("content that is empty", message({ content: "" }), { reply: { text: "", calls: [], finish: "stop" } }),
  whole(
    "content in parts, with thinking",
    message({
      content: [
        { type: "thinking", thinking: [{ type: "text", text: "Greet." }] },
        { type: "text", text: "Hello." },
      ],
    }),
    { reply: { ...HELLO, reasoning: "Greet." } },
  ),
  whole("a refusal", message({ content: null, refusal: "I cannot." }), { reply: { text: "", refusal: "I cannot.", finish: "stop" } }),
  whole("a refusal that is false", message({ content: "Hello.", refusal: false }), { reply: HELLO, without: ["refusal"] }),
  whole("reasoning_content", message({ content: "Hello.", reasoning_content: "Greet." }), { reply: { ...HELLO, reasoning: "Greet." } }),
  whole("reasoning", message({ content: "Hello.", reasoning: "Greet." }), { reply: { ...HELLO, reasoning: "Greet." } }),
  whole("no finish reason in a whole body", message({ content: "Hello." }, null), { reply: HELLO }),
  whole("an empty finish reason in a whole body", message({ content: "Hello." }, ""), { reply: HELLO }),
  whole("end_turn", message({ content: "Hello." }, "end_turn"), { reply: HELLO }),
  whole("length", message({ content: "Hel" }, "length"), { reply: { text: "Hel", finish: "length" } }),
  whole("max_tokens as finish", message({ content: "Hel" }, "max_tokens"), { reply: { finish: "length" } }),
  whole("a reply that a filter cut", message({ content: "Hel" }, "content_filter"), { reply: { finish: "filter" } }),
  whole("a finish that says that the server broke off", message({ content: "Hel" }, "error"), { fault: "model.unavailable" }),
];

/** Calls in one body. */
export const CALLS: readonly Shape[] = [
  whole("a call", message({ content: null, tool_calls: [call("a", "pay", PAY.arguments)] }, "tool_calls"), { reply: PAYS }),
  whole("stop although a tool is called", message({ content: null, tool_calls: [call("a", "pay", PAY.arguments)] }), { reply: PAYS }),
  whole("tool_calls as finish without a call", message({ content: "Hello.", tool_calls: [] }, "tool_calls"), { reply: HELLO }),
  whole("an empty list of calls", message({ content: "Hello.", tool_calls: [] }), { reply: HELLO }),
  whole("calls that are null", message({ content: "Hello.", tool_calls: null }), { reply: HELLO }),
  whole("function_call", message({ content: null, function_call: PAY }, "function_call"), {
    reply: { calls: [{ id: "call_1", ...PAY }], finish: "calls" },
  }),
  whole("parallel calls", message({ tool_calls: [call("a", "pay", PAY.arguments), call("b", "mail", "{}")] }, "tool_calls"), {
    reply: {
      calls: [
        { id: "a", ...PAY },
        { id: "b", name: "mail", arguments: "{}" },
      ],
    },
  }),
  whole(
    "ids that are missing, blank and repeated",
    message(
      { tool_calls: [call(undefined, "pay", "{}"), call(" ", "pay", "{}"), call("a", "pay", "{}"), call("a", "mail", "{}")] },
      "tool_calls",
    ),
    {
      reply: {
        calls: [
          { id: "call_1", name: "pay", arguments: "{}" },
          { id: "call_2", name: "pay", arguments: "{}" },
          { id: "a", name: "pay", arguments: "{}" },
          { id: "call_3", name: "mail", arguments: "{}" },
        ],
      },
    },
  ),
  whole("arguments that are empty", message({ tool_calls: [call("a", "pay", "")] }), {
    reply: { calls: [{ id: "a", name: "pay", arguments: "" }], finish: "calls" },
  }),
  whole("arguments that are an object", message({ tool_calls: [call("a", "pay", { amount: 10 })] }), { reply: PAYS }),
  whole("arguments that are encoded twice", message({ tool_calls: [call("a", "pay", JSON.stringify(PAY.arguments))] }), {
    reply: { calls: [{ id: "a", name: "pay", arguments: JSON.stringify(PAY.arguments) }], finish: "calls" },
  }),
  whole("arguments that the output limit cut", message({ tool_calls: [call("a", "pay", '{"amount":1')] }, "length"), {
    reply: { calls: [{ id: "a", name: "pay", arguments: '{"amount":1' }], finish: "length" },
  }),
  whole("a call without a name", message({ tool_calls: [call("a", undefined, "{}")] }), {
    reply: { calls: [{ id: "a", name: "", arguments: "{}" }], finish: "calls" },
  }),
];
