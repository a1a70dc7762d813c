/** @module The scripted model over HTTP, asked by the `openai` package. */
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import OpenAI, { APIError } from "openai";
import { afterEach, expect, test } from "vitest";
import { type ScriptedModel, scriptedModel } from "../../testing/index.ts";

type Messages = OpenAI.ChatCompletionMessageParam[];

const SCRIPT = `
rules:
  - name: book, then tell
    when: { agent: Travel, input: { to: "/^R/" } }
    replies:
      - calls:
          - { tool: flight, arguments: { to: "{{input.to}}", seats: "{{input.seats}}" } }
          - { tool: hotel, arguments: { note: "in {{input.to}} for {{input.seats}}" } }
      - json: { code: "{{results.flight.code}}", text: "{{results.hotel}}" }
  - when: { user: "/weather/i", call: 1 }
    reply: { text: "It is sunny in the script.", usage: { inputTokens: 7, outputTokens: 5 } }
  - when: { user: count, attempt: 1 }
    reply: { shape: rate-limited }
  - when: { user: count }
    reply: { text: "two" }
  - when: { user: long }
    reply: { text: "one two three four five six seven eight nine ten eleven twelve" }
  - when: { user: slow }
    reply: { text: late, delayMs: 60000 }
`;
const TRAVEL = { type: "json_schema", json_schema: { name: "Travel", schema: {} } } as const;
const ASK: Messages = [
  { role: "system", content: "You book." },
  { role: "user", content: `The task: {"to":"Rome","seats":2}` },
];

let model: ScriptedModel | undefined;
afterEach(async () => {
  await model?.stop();
  model = undefined;
});

async function client(script = SCRIPT, key?: string): Promise<OpenAI> {
  model = await scriptedModel({ script, ...(key === undefined ? {} : { key }) });
  return new OpenAI({ baseURL: model.url, apiKey: key ?? "none", maxRetries: 0 });
}

async function errorOf(promise: Promise<unknown>): Promise<APIError> {
  const error = await promise.then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  if (!(error instanceof APIError)) throw new Error(`no API error but ${String(error)}`);
  return error;
}

test("answers a conversation by its rules: calls with arguments from the input, then JSON from the results", async () => {
  const openai = await client();
  const first = await openai.chat.completions.create({ model: "fast", messages: ASK, response_format: TRAVEL });
  const message = first.choices[0]?.message;
  expect(message?.tool_calls).toEqual([
    { id: "call_1_1", type: "function", function: { name: "flight", arguments: '{"to":"Rome","seats":2}' } },
    { id: "call_1_2", type: "function", function: { name: "hotel", arguments: '{"note":"in Rome for 2"}' } },
  ]);
  expect(first.choices[0]?.finish_reason).toBe("tool_calls");
  const messages: Messages = [
    ...ASK,
    ...(message === undefined ? [] : [message]),
    { role: "tool", tool_call_id: "call_1_1", content: '{"code":"X7"}' },
    { role: "tool", tool_call_id: "call_1_2", content: "full" },
  ];
  const second = await openai.chat.completions.create({ model: "fast", messages, response_format: TRAVEL });
  expect(second.choices[0]?.message.content).toBe('{"code":"X7","text":"full"}');
});

test("streams the same reply in pieces, with the usage at the end when it is asked for", async () => {
  const openai = await client();
  const create = { model: "fast", messages: ASK, response_format: TRAVEL, stream: true, stream_options: { include_usage: true } } as const;
  const whole = await openai.chat.completions.stream({ ...create, messages: ASK }).finalChatCompletion();
  expect(whole.choices[0]?.message.tool_calls?.map((call) => ("function" in call ? call.function.arguments : ""))).toEqual([
    '{"to":"Rome","seats":2}',
    '{"note":"in Rome for 2"}',
  ]);
  expect(whole.usage?.completion_tokens).toBeGreaterThan(5);
  let pieces = 0;
  let text = "";
  for await (const chunk of await openai.chat.completions.create({ ...create, messages: [{ role: "user", content: "Weather?" }] })) {
    const content = chunk.choices[0]?.delta.content ?? "";
    if (content !== "") pieces += 1;
    text += content;
  }
  expect(text).toBe("It is sunny in the script.");
  expect(pieces).toBe(6);
});

test("says in each reply and in the list of models that it is scripted", async () => {
  const openai = await client();
  const messages: Messages = [{ role: "user", content: "weather" }];
  const reply = await openai.chat.completions.create({ model: "gpt-5-mini", messages });
  expect([reply.model, reply.system_fingerprint]).toEqual(["scripted", "scripted"]);
  expect(reply.usage).toMatchObject({ prompt_tokens: 7, completion_tokens: 5 });
  for await (const chunk of await openai.chat.completions.create({ model: "gpt-5-mini", messages, stream: true }))
    expect([chunk.model, chunk.system_fingerprint]).toEqual(["scripted", "scripted"]);
  expect((await openai.models.list()).data.map(({ id }) => id)).toEqual(["scripted"]);
});

test("refuses a request that no rule matches, and names its last message, the file and the closest rule", async () => {
  const openai = await client();
  const error = await errorOf(openai.chat.completions.create({ model: "fast", messages: [{ role: "user", content: "sing" }] }));
  expect(error.status).toBe(400);
  expect(error.code).toBe("script_unmatched");
  expect(error.message).toContain('no rule of the script matches call 1 to model fast, whose last message (user) is "sing"');
  expect(error.message).toContain("the closest is the script:10, which differs in: user");
});

test("refuses a history in which calls and results do not belong together, as real servers do", async () => {
  const openai = await client();
  const orphan: Messages = [...ASK, { role: "tool", tool_call_id: "call_9", content: "1" }];
  expect((await errorOf(openai.chat.completions.create({ model: "fast", messages: orphan }))).message).toContain("call_9");
  const call = { id: "call_1", type: "function", function: { name: "flight", arguments: "{}" } } as const;
  const open: Messages = [...ASK, { role: "assistant", content: null, tool_calls: [call] }, { role: "user", content: "go on" }];
  expect((await errorOf(openai.chat.completions.create({ model: "fast", messages: open }))).message).toContain("no result: call_1");
});

test("answers a retry of a request again from its messages; only `attempt` counts", async () => {
  const openai = await client();
  const messages: Messages = [{ role: "user", content: "count" }];
  const ask = (idempotencyKey: string): Promise<OpenAI.ChatCompletion> =>
    openai.chat.completions.create({ model: "fast", messages }, { headers: { "idempotency-key": idempotencyKey } });
  const error = await errorOf(ask("one"));
  expect([error.status, error.headers?.get("retry-after")]).toEqual([429, "1"]);
  expect((await ask("one")).choices[0]?.message.content).toBe("two");
  expect((await errorOf(ask("two"))).status).toBe(429);
  expect(model?.requests.map(({ idempotencyKey, attempt, status, rule }) => [idempotencyKey, attempt, status, rule])).toEqual([
    ["one", 1, 429, "the script:12"],
    ["one", 2, 200, "the script:14"],
    ["two", 1, 429, "the script:12"],
  ]);
});

test("cuts a reply at the output limit and says so", async () => {
  const openai = await client();
  const messages: Messages = [{ role: "user", content: "long" }];
  const { choices, usage } = await openai.chat.completions.create({ model: "fast", messages, max_completion_tokens: 4 });
  expect(choices[0]?.finish_reason).toBe("length");
  expect("one two three four five").toContain(choices[0]?.message.content?.trim());
  expect(usage?.completion_tokens).toBeLessThanOrEqual(4);
});

test("asks for its key where it has one, and answers no page of a browser", async () => {
  const openai = await client(SCRIPT, "k-1");
  const messages: Messages = [{ role: "user", content: "weather" }];
  expect((await openai.chat.completions.create({ model: "fast", messages })).choices).toHaveLength(1);
  const other = new OpenAI({ baseURL: openai.baseURL, apiKey: "k-2", maxRetries: 0 });
  expect((await errorOf(other.chat.completions.create({ model: "fast", messages }))).status).toBe(401);
  const page = new OpenAI({ baseURL: openai.baseURL, apiKey: "k-1", maxRetries: 0, defaultHeaders: { origin: "http://example.org" } });
  expect((await errorOf(page.chat.completions.create({ model: "fast", messages }))).status).toBe(403);
});

test("ends at once while a reply is still to come", async () => {
  const openai = await client();
  const slow = errorOf(openai.chat.completions.create({ model: "fast", messages: [{ role: "user", content: "slow" }] }));
  await expect.poll(() => model?.requests.length).toBe(1);
  await model?.stop();
  expect((await slow).message).toContain("Connection error");
});

test.each([
  ["rules:\n  - reply: { text: hi }\n    whenn: {}\n", "x.yaml:3: rules[0]: unknown key"],
  ["rules:\n  - reply: { text: hi, json: 1 }\n", "x.yaml:2: rules[0].reply: give text or json, not both"],
  ["rules:\n  - when: { user: '/(/' }\n    reply: { text: hi }\n", "x.yaml:2: rules[0].when.user: the regular expression"],
  ["rules:\n  - when:\n      call: 0\n    reply: { text: hi }\n", "x.yaml:3: rules[0].when.call: a whole number from 1"],
  ["rules:\n  - reply:\n      json: { a: ['{{task.x}}'] }\n", "x.yaml:3: rules[0].reply.json: a placeholder is"],
  ["rules:\n  - reply: { shape: explode }\n", "x.yaml:2: rules[0].reply.shape: the name of a shape"],
  ["rules:\n  - {}\n", "x.yaml:2: rules[0]: give either reply or replies"],
  ["rules: [\n", "x.yaml:2:1: "],
  ["rule: 1\n", "x.yaml:1: rules: "],
])("refuses the script %j with its line", async (script, expected) => {
  const { parseScript } = await import("../../testing/scripted/script-file.ts");
  expect(() => parseScript(script, "x.yaml")).toThrow(expected);
});

test("reads a script file again when it has changed, and says what is wrong with it", async () => {
  const dir = await mkdtemp(join(tmpdir(), "troupe-script-"));
  try {
    const file = join(dir, "model.script.yaml");
    await writeFile(file, "rules: [{ reply: { text: one } }]");
    model = await scriptedModel({ file });
    const openai = new OpenAI({ baseURL: model.url, apiKey: "none", maxRetries: 0 });
    const ask = (): Promise<OpenAI.ChatCompletion> =>
      openai.chat.completions.create({ model: "fast", messages: [{ role: "user", content: "hi" }] });
    expect((await ask()).choices[0]?.message.content).toBe("one");
    await writeFile(file, "rules: [{ reply: { text: second } }]");
    expect((await ask()).choices[0]?.message.content).toBe("second");
    await writeFile(file, "rules: [{ replyy: {} }]");
    expect((await errorOf(ask())).message).toContain(`${file}:1: rules[0]`);
  } finally {
    await rm(dir, { recursive: true });
  }
});
