/** @module The endpoint of OpenAI-compatible servers, against a server on this machine. */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import {
  type EndpointEnvironment,
  Fault,
  type ModelDelta,
  type ModelRequest,
  openai,
  type OpenAiOptions,
  secret,
} from "../../agents/index.ts";
import { stream } from "./shape-parts.ts";
import { send, startServer, type TestServer } from "./server.ts";
import { SHAPES, type Shape } from "./shapes.ts";

const REQUEST: ModelRequest = {
  messages: [
    { role: "system", text: "Be kind." },
    { role: "user", text: "Hello?" },
  ],
  tools: [],
  toolChoice: "auto",
  outputTokensMax: 100,
};
const KEY = "a-key-of-this-test";

let server: TestServer;
beforeAll(async () => {
  server = await startServer();
});
afterAll(() => server.stop());

const environment = (env: EndpointEnvironment["env"] = {}): EndpointEnvironment => ({
  env,
  secret: async (store, name) => `${store}/${name}`,
});

interface Asked {
  readonly request?: ModelRequest;
  readonly env?: EndpointEnvironment["env"];
  readonly signal?: AbortSignal;
  readonly onDelta?: (delta: ModelDelta) => void;
}

async function ask(options: Partial<OpenAiOptions> = {}, { request = REQUEST, env = {}, signal, onDelta }: Asked = {}): Promise<unknown> {
  const endpoint = openai({ model: "asked-model", baseUrl: server.url, ...options });
  const provider = await endpoint.connect(environment(env));
  const call = {
    model: endpoint.model,
    idempotencyKey: "key-1",
    signal: signal ?? new AbortController().signal,
    nowMs: Date.now(),
    onDelta,
  };
  return provider.chat(request, call).catch((error: unknown) => error);
}

function expectEnd({ end }: Shape, got: unknown): void {
  if ("reply" in end) expect(got).toMatchObject(end.reply);
  else {
    expect(got).toBeInstanceOf(Fault);
    expect(got).toMatchObject({ code: end.fault, retryAfterMs: end.retryAfterMs });
  }
}

const hello = stream("hello", [{ choices: [{ index: 0, delta: { content: "Hello." }, finish_reason: "stop" }] }, "data: [DONE]\n\n"], {
  reply: {},
});

describe("every shape of an answer, over HTTP", () => {
  it.each(SHAPES)("$name", async (shape) => {
    server.answer(shape.sent);
    expectEnd(shape, await ask({ stream: shape.streamed }));
  });
});

describe("what is sent", () => {
  it("is a Chat Completions request with its own idempotency key, once", async () => {
    server.answer(hello.sent);
    const before = server.received.length;
    await ask({ apiKey: KEY, headers: { "x-tenant": "north" }, extra: { reasoning_effort: "low" } });
    const [received, ...more] = server.received.slice(before);
    expect(more).toEqual([]);
    expect(received).toMatchObject({
      path: "/v1/chat/completions",
      headers: { authorization: `Bearer ${KEY}`, "idempotency-key": "key-1", "x-tenant": "north" },
    });
    expect(received?.body).toEqual({
      model: "asked-model",
      messages: [
        { role: "system", content: "Be kind." },
        { role: "user", content: "Hello?" },
      ],
      max_tokens: 100,
      reasoning_effort: "low",
      stream: true,
      stream_options: { include_usage: true },
    });
  });

  it("has no key for a local server without one, and the key of the environment or of a secret store", async () => {
    server.answer(hello.sent);
    await ask();
    expect(server.received.at(-1)?.headers).not.toHaveProperty("authorization");
    await ask({}, { env: { OPENAI_API_KEY: KEY } });
    expect(server.received.at(-1)?.headers.authorization).toBe(`Bearer ${KEY}`);
    await ask({ apiKey: secret("vault", "openai") });
    expect(server.received.at(-1)?.headers.authorization).toBe("Bearer vault/openai");
  });

  it("is not tried again after an error", async () => {
    server.answer({ status: 500, headers: {}, body: "" });
    const before = server.received.length;
    await ask();
    expect(server.received.length - before).toBe(1);
  });
});

describe("what comes back", () => {
  it("is passed on piece by piece, and returned as a whole", async () => {
    server.answer((response) => {
      response.writeHead(200, { "content-type": "text/event-stream" });
      response.write('data: {"choices":[{"index":0,"delta":{"content":"Hel"}}]}\n\n');
      response.end('data: {"choices":[{"index":0,"delta":{"content":"lo."},"finish_reason":"stop"}]}\n\ndata: [DONE]\n\n');
    });
    const deltas: ModelDelta[] = [];
    expect(await ask({}, { onDelta: (delta) => deltas.push(delta) })).toMatchObject({ text: "Hello." });
    expect(deltas).toEqual([{ text: "Hel" }, { text: "lo." }]);
  });

  it("may be one document although a stream was requested", async () => {
    const body = JSON.stringify({ choices: [{ message: { content: "Hello." }, finish_reason: "stop" }] });
    server.answer({ status: 200, headers: { "content-type": "application/json" }, body });
    expect(await ask()).toMatchObject({ text: "Hello.", finish: "stop" });
  });

  it("is not awaited after the end mark of a stream that stays open", async () => {
    server.answer((response) => {
      response.writeHead(200, { "content-type": "text/event-stream" });
      response.write(hello.sent.body);
    });
    expect(await ask()).toMatchObject({ text: "Hello." });
  });

  it("ends with the signal, also in the midst of a stream", async () => {
    const controller = new AbortController();
    server.answer((response) => {
      response.writeHead(200, { "content-type": "text/event-stream" });
      response.write('data: {"choices":[{"index":0,"delta":{"content":"Hel"}}]}\n\n');
    });
    const reason = new Fault("model.unavailable", "too late");
    const got = await ask({}, { signal: controller.signal, onDelta: () => controller.abort(reason) });
    expect(got).toMatchObject({ code: "model.unavailable", message: "too late" });
  });

  it("says that nothing was sent where fetch refuses the port", async () => {
    const got = await ask({ baseUrl: "http://127.0.0.1:9/v1" });
    expect(got).toMatchObject({ code: "model.rejected", details: { sent: false }, message: expect.stringContaining("port") });
  });

  it("says that nothing was sent if there is no server", async () => {
    const gone = await startServer();
    await gone.stop();
    expect(await ask({ baseUrl: gone.url })).toMatchObject({ code: "model.unavailable", details: { sent: false } });
  });
});

describe("keys", () => {
  it("are missing: the endpoint says which variable to set", async () => {
    const endpoint = openai({ model: "gpt-5-mini" });
    await expect(endpoint.connect(environment())).rejects.toMatchObject({
      code: "model.unknown",
      message: expect.stringContaining("OPENAI_API_KEY"),
    });
  });

  it("may be a header of their own", async () => {
    const seen: string[] = [];
    const spy: typeof fetch = async (_input, init) => {
      seen.push(JSON.stringify([...new Headers(init?.headers)]));
      return new Response(hello.sent.body, { headers: hello.sent.headers });
    };
    await ask({ baseUrl: "https://models.example/v1", headers: { "api-key": KEY }, fetch: spy });
    expect(seen.join()).toContain(KEY);
    expect(seen.join()).not.toContain("authorization");
  });

  it("of the environment are not sent in plain text to another machine that the code names", async () => {
    const seen: string[] = [];
    const spy: typeof fetch = async (_input, init) => {
      seen.push(JSON.stringify([...new Headers(init?.headers)]));
      return new Response(hello.sent.body, { headers: hello.sent.headers });
    };
    await ask({ baseUrl: "http://models.example/v1", fetch: spy }, { env: { OPENAI_API_KEY: KEY } });
    expect(seen.join()).not.toContain(KEY);
  });

  it("are in no fault, also if the server repeats them", async () => {
    server.answer((response) => {
      const message = `Incorrect API key provided: ${KEY}, and header top-secret-header`;
      send(response, {
        status: 401,
        headers: { "content-type": "application/json" },
        body: JSON.stringify({ error: { message, code: KEY } }),
      });
    });
    const got = await ask({ apiKey: KEY, headers: { "x-secret": "top-secret-header" } });
    expect(got).toMatchObject({ code: "model.rejected" });
    const told = JSON.stringify(got instanceof Fault ? [got.toWire(), got.message, got.stack] : []);
    expect(told).not.toContain(KEY);
    expect(told).not.toContain("top-secret-header");
  });

  it("are not in the endpoint as a value", () => {
    expect(JSON.stringify(openai({ model: "m", apiKey: KEY, headers: { authorization: KEY } }))).not.toContain(KEY);
  });
});
