/** @module Shapes of streamed answers. */
import {
  chunk,
  DONE,
  FIRST,
  HELLO,
  MAIL,
  MODEL,
  PAGE,
  PAY,
  PAYS,
  PAYS_AND_MAILS,
  piece,
  type Shape,
  stream,
  USAGE,
  usageChunk,
  USED,
} from "./shape-parts.ts";

/** Streams of text. */
export const STREAMS: readonly Shape[] = [
  stream("streamed: a text", [FIRST, chunk({ content: "Hel" }), chunk({ content: "lo." }), chunk({}, "stop"), usageChunk, DONE], {
    reply: { ...HELLO, usage: USED, model: MODEL },
  }),
  stream("streamed: no role", [chunk({ content: "Hello." }), chunk({}, "stop"), DONE], { reply: HELLO }),
  stream("streamed: finish in the chunk of the last content", [FIRST, chunk({ content: "Hello." }, "stop"), DONE], { reply: HELLO }),
  stream(
    "streamed: an empty finish reason until the last chunk",
    [chunk({ content: "Hel" }, ""), chunk({ content: "lo." }, ""), chunk({}, "stop"), DONE],
    { reply: HELLO },
  ),
  stream("streamed: no end mark after the finish", [FIRST, chunk({ content: "Hello." }), chunk({}, "stop")], { reply: HELLO }),
  stream("streamed: an end mark without a finish", [FIRST, chunk({ content: "Hello." }), DONE], { fault: "model.malformed" }),
  stream("streamed: only empty finish reasons", [chunk({ content: "Hello." }, ""), DONE], { fault: "model.malformed" }),
  stream("streamed: cut in a text", [FIRST, chunk({ content: "Hel" })], { fault: "model.unavailable" }),
  stream("streamed: cut with the connection", [FIRST, chunk({ content: "Hel" })], { fault: "model.unavailable" }, { cut: true }),
  stream("streamed: cut in a call", [FIRST, piece({ index: 0, id: "a" }, { name: "pay", arguments: '{"amount":1' })], {
    fault: "model.unavailable",
  }),
  stream(
    "streamed: cut after arguments that can be read",
    [FIRST, piece({ index: 0, id: "a" }, { name: "pay", arguments: '{"amount":1}' })],
    {
      fault: "model.unavailable",
    },
  ),
  stream("streamed: a chunk after the finish", [chunk({ content: "Hello." }), chunk({}, "stop"), chunk({}), DONE], { reply: HELLO }),
  stream(
    "streamed: a first chunk without choices",
    [{ choices: [], prompt_filter_results: [{ prompt_index: 0 }] }, FIRST, chunk({ content: "Hello." }), chunk({}, "stop"), DONE],
    { reply: HELLO },
  ),
  stream(
    "streamed: usage in the choices",
    [chunk({ content: "Hello." }), { model: MODEL, choices: [{ index: 0, delta: {}, finish_reason: "stop", usage: USAGE }] }, DONE],
    { reply: { ...HELLO, usage: USED } },
  ),
  stream("streamed: usage with the finish", [chunk({ content: "Hello." }), chunk({}, "stop", { usage: USAGE }), DONE], {
    reply: { ...HELLO, usage: USED },
  }),
  stream("streamed: no usage", [chunk({ content: "Hello." }), chunk({}, "stop"), DONE], { reply: HELLO, without: ["usage"] }),
  stream("streamed: an error in its midst", [FIRST, chunk({ content: "Hel" }), { error: { message: "boom", type: "server_error" } }], {
    fault: "model.unavailable",
  }),
  stream("streamed: a rate limit in its midst", [FIRST, { error: { message: "slow down", code: 429 } }, DONE], {
    fault: "model.rate-limited",
  }),
  stream("streamed: an error as its only event", [{ error: "out of memory" }], { fault: "model.unavailable" }),
  stream("streamed: comments", [": PROCESSING\n\n", FIRST, ": still\n\n", chunk({ content: "Hello." }), chunk({}, "stop"), DONE], {
    reply: HELLO,
  }),
  stream("streamed: a broken chunk", [FIRST, 'data: {"choices":[{"del\n\n', chunk({}, "stop"), DONE], { fault: "model.malformed" }),
  stream("streamed: an empty body", [], { fault: "model.malformed" }),
  stream("streamed: an HTML page", [PAGE], { fault: "model.malformed" }),
  stream("streamed: only the end mark", [DONE], { fault: "model.malformed" }),
  stream(
    "streamed: lines that end with CR and LF",
    [
      `data: ${JSON.stringify(chunk({ content: "Hello." }))}\r\n\r\n`,
      `data: ${JSON.stringify(chunk({}, "stop"))}\r\n\r\ndata: [DONE]\r\n\r\n`,
    ],
    { reply: HELLO },
  ),
  stream(
    "streamed: no space after the colon",
    [`data:${JSON.stringify(chunk({ content: "Hello." }))}\n\n`, `data:${JSON.stringify(chunk({}, "stop"))}\n\ndata:[DONE]\n\n`],
    { reply: HELLO },
  ),
  stream("streamed: a filter cuts", [chunk({ content: "Hel" }), chunk({}, "content_filter"), DONE], { reply: { finish: "filter" } }),
  stream("streamed: a refusal in the chunk of the finish", [FIRST, chunk({ refusal: "I cannot." }, "stop"), DONE], {
    reply: { text: "", refusal: "I cannot.", finish: "stop" },
  }),
  stream(
    "streamed: reasoning",
    [chunk({ reasoning_content: "Gre" }), chunk({ reasoning_content: "et." }), chunk({ content: "Hello." }, "stop"), DONE],
    {
      reply: { ...HELLO, reasoning: "Greet." },
    },
  ),
];

/** Streams of calls. */
export const STREAMED_CALLS: readonly Shape[] = [
  stream(
    "streamed: arguments split anywhere",
    [
      FIRST,
      piece({ index: 0, id: "a" }, { name: "pay", arguments: "" }),
      ...[...PAY.arguments].map((character) => piece({ index: 0 }, { arguments: character })),
      chunk({}, "tool_calls"),
      DONE,
    ],
    { reply: PAYS },
  ),
  stream("streamed: stop although a tool is called", [piece({ index: 0, id: "a" }, PAY), chunk({}, "stop"), DONE], { reply: PAYS }),
  stream(
    "streamed: function_call",
    [
      chunk({ function_call: { name: "pay", arguments: '{"amou' } }),
      chunk({ function_call: { arguments: 'nt":10}' } }),
      chunk({}, "function_call"),
      DONE,
    ],
    {
      reply: { calls: [{ id: "call_1", ...PAY }], finish: "calls" },
    },
  ),
  stream(
    "streamed: name after the arguments",
    [piece({ index: 0, id: "a" }, { arguments: PAY.arguments }), piece({ index: 0 }, { name: "pay" }), chunk({}, "tool_calls"), DONE],
    { reply: PAYS },
  ),
  stream(
    "streamed: the name in every piece",
    [
      piece({ index: 0, id: "a" }, { name: "pay", arguments: '{"amou' }),
      piece({ index: 0, id: "a" }, { name: "pay", arguments: 'nt":10}' }),
      chunk({}, "tool_calls"),
      DONE,
    ],
    { reply: PAYS },
  ),
  stream(
    "streamed: indexes with gaps",
    [piece({ index: 1, id: "a" }, PAY), piece({ index: 4, id: "b" }, MAIL), chunk({}, "tool_calls"), DONE],
    { reply: PAYS_AND_MAILS },
  ),
  stream(
    "streamed: interleaved parallel calls",
    [
      piece({ index: 0, id: "a" }, { name: "pay", arguments: '{"amou' }),
      piece({ index: 1, id: "b" }, { name: "mail", arguments: "{" }),
      piece({ index: 0 }, { arguments: 'nt":10}' }),
      piece({ index: 1 }, { arguments: "}" }),
      chunk({}, "tool_calls"),
      DONE,
    ],
    { reply: PAYS_AND_MAILS },
  ),
  stream(
    "streamed: one index for several calls",
    [piece({ index: 0, id: "a" }, PAY), piece({ index: 0, id: "b" }, MAIL), chunk({}, "tool_calls"), DONE],
    { reply: PAYS_AND_MAILS },
  ),
  stream(
    "streamed: no index",
    [
      piece({ id: "a" }, { name: "pay", arguments: '{"amou' }),
      piece({}, { arguments: 'nt":10}' }),
      piece({ id: "b" }, MAIL),
      chunk({}, "tool_calls"),
      DONE,
    ],
    { reply: PAYS_AND_MAILS },
  ),
  stream("streamed: neither index nor id", [piece({}, PAY), piece({}, MAIL), chunk({}, "tool_calls"), DONE], {
    reply: {
      calls: [
        { id: "call_1", ...PAY },
        { id: "call_2", ...MAIL },
      ],
    },
  }),
  stream(
    "streamed: one id for two calls",
    [piece({ index: 0, id: "a" }, PAY), piece({ index: 1, id: "a" }, MAIL), chunk({}, "tool_calls"), DONE],
    {
      reply: {
        calls: [
          { id: "a", ...PAY },
          { id: "call_1", ...MAIL },
        ],
      },
    },
  ),
  stream(
    "streamed: arguments that are an object",
    [piece({ index: 0, id: "a" }, { name: "pay", arguments: { amount: 10 } }), chunk({}, "tool_calls"), DONE],
    {
      reply: PAYS,
    },
  ),
  stream("streamed: an empty list of calls", [chunk({ content: "Hello.", tool_calls: [] }), chunk({}, "stop"), DONE], { reply: HELLO }),
  stream(
    "streamed: a call that the output limit cut",
    [piece({ index: 0, id: "a" }, { name: "pay", arguments: '{"amount":1' }), chunk({}, "length"), DONE],
    {
      reply: { calls: [{ id: "a", name: "pay", arguments: '{"amount":1' }], finish: "length" },
    },
  ),
];
