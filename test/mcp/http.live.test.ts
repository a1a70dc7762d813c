/** @module Promises of MCP tools over streamable HTTP, with a server from npm and with servers that break the protocol. */
import { type ChildProcess, spawn } from "node:child_process";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { once } from "node:events";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { freePort } from "../../cli/dapr/ports.ts";
import { LIMITS } from "../../runtime/limits.ts";
import { mcpLock, mcpServer, type McpUrl } from "../../mcp/index.ts";
import { runLocal } from "../../testing/index.ts";
import { npmServer, systemOf } from "./rig.ts";

const LOCK = { version: 1, servers: { web: { server: "test", tools: { echo: { description: "Echoes", input: { type: "object" } } } } } };

function web(place: McpUrl, lock: object = LOCK) {
  return mcpServer("web", place, { lock, tools: { echo: { effect: "write" } } });
}

/** What results have since the protocol of 2026-07-28. */
const COMPLETE = { resultType: "complete", ttlMs: 0, cacheScope: "private" };

/** Calls the tool once and returns its output, or its fault as a text. */
async function called(server: ReturnType<typeof web>): Promise<unknown> {
  const outcome = await runLocal(
    systemOf(server.tools, (ctx) =>
      ctx
        .call(server.tool("echo"), { message: "hi" })
        .catch((error: { code: string; message: string }) => `${error.code}: ${error.message}`),
    ),
    "main",
    "x",
  );
  return outcome.output;
}

describe("a server from npm", () => {
  let child: ChildProcess;
  let url: string;

  beforeAll(async () => {
    const port = await freePort();
    const { command, args = [] } = npmServer("everything", "streamableHttp");
    child = spawn(command, [...args], { env: { ...process.env, PORT: String(port) }, stdio: ["ignore", "ignore", "pipe"] });
    url = `http://127.0.0.1:${port}/mcp`;
    let said = "";
    for await (const chunk of child.stderr ?? []) if ((said += String(chunk)).includes("listening")) break;
  });
  afterAll(async () => {
    if (child.exitCode === null && child.signalCode === null) {
      child.kill("SIGKILL");
      await once(child, "exit");
    }
  });

  test("is locked and called by its URL, and unavailable after its end", async () => {
    const lock = await mcpLock(() => web({ url }, {}));
    expect(lock.servers["web"]?.tools["echo"]?.description).toBe("Echoes back the input string");
    expect(await called(web({ url }, lock))).toBe("Echo: hi");
    child.kill("SIGKILL");
    await once(child, "exit");
    expect(await called(web({ url }, lock))).toMatch(/^mcp\.unavailable: MCP server web could not be connected/);
  });
});

describe("a server that breaks the protocol", () => {
  let server: Server;
  let seen: IncomingMessage[];

  /** A server that answers the handshake, and a call as the test says. */
  async function serve(onCall: (response: ServerResponse, id: unknown) => void, version = ""): Promise<string> {
    seen = [];
    server = createServer((request, response) => {
      seen.push(request);
      let body = "";
      request.on("data", (chunk) => (body += String(chunk)));
      request.on("end", () => {
        const { id, method } = JSON.parse(body === "" ? "{}" : body) as { id?: number; method?: string };
        const answer = (result: object): void => {
          response.setHeader("content-type", "application/json").end(JSON.stringify({ jsonrpc: "2.0", id, result }));
        };
        if (method === "server/discover" && version !== "")
          answer({ supportedVersions: [version], capabilities: { tools: {} }, serverInfo: { name: "test", version: "1" }, ...COMPLETE });
        else if (method === "initialize")
          answer({ protocolVersion: "2025-06-18", capabilities: { tools: {} }, serverInfo: { name: "test", version: "1" } });
        else if (method === "tools/list")
          answer({ tools: [{ name: "echo", description: "Echoes", inputSchema: { type: "object" } }], ...COMPLETE });
        else if (method === "tools/call") onCall(response, id);
        else if (id === undefined) response.writeHead(202).end();
        else
          response
            .setHeader("content-type", "application/json")
            .end(JSON.stringify({ jsonrpc: "2.0", id, error: { code: -32601, message: "no" } }));
      });
    });
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    return `http://127.0.0.1:${(server.address() as AddressInfo).port}/mcp`;
  }

  afterEach(() => {
    server.closeAllConnections();
    server.close();
  });

  test.each<[string, (response: ServerResponse, id: unknown) => void, RegExp]>([
    ["cuts the answer", (response) => response.socket?.destroy(), /^mcp\.unanswered/],
    ["fails with 500", (response) => response.writeHead(500).end("oops"), /^mcp\.unanswered/],
    ["refuses with 401", (response) => response.writeHead(401).end(), /^mcp\.rejected/],
    ["refuses with 400", (response) => response.writeHead(400).end("bad"), /^mcp\.rejected/],
    ["is busy (429)", (response) => response.writeHead(429).end(), /^mcp\.unavailable/],
    ["answers a page", (response) => response.setHeader("content-type", "text/html").end("<p>hello"), /^mcp\.(rejected|unanswered)/],
    ["answers no JSON", (response) => response.setHeader("content-type", "application/json").end("{"), /^mcp\.(rejected|unanswered)/],
    [
      "answers without end",
      (response) => {
        response.setHeader("content-type", "application/json");
        response.write(`{"jsonrpc":"2.0","x":"${"x".repeat(LIMITS.mcpMessageBytesMax)}`);
      },
      /^mcp\.(rejected|unanswered)/,
    ],
  ])("that %s", async (_what, onCall, code) => {
    expect(await called(web({ url: await serve(onCall) }))).toMatch(code);
  });

  test("that speaks the newest protocol is called, and refused when it asks for input instead of answering", async () => {
    const json = (result: object) => (response: ServerResponse, id: unknown) =>
      response.setHeader("content-type", "application/json").end(JSON.stringify({ jsonrpc: "2.0", id, result }));
    const answers = { content: [{ type: "text", text: "hi" }], ...COMPLETE };
    expect(await called(web({ url: await serve(json(answers), "2026-07-28") }))).toBe("hi");
    expect(seen.map(({ headers }) => headers["mcp-protocol-version"])).toContain("2026-07-28");
    server.close();
    const asks = { resultType: "input_required", inputRequests: { a: { method: "roots/list" } }, requestState: "x" };
    expect(await called(web({ url: await serve(json(asks), "2026-07-28") }))).toMatch(/^mcp\.rejected/);
  });

  test("gets the headers of the declaration with each request, read when the connection opens, and no stream is opened", async () => {
    const url = await serve((response, id) =>
      response
        .setHeader("content-type", "application/json")
        .end(JSON.stringify({ jsonrpc: "2.0", id, result: { content: [{ type: "text", text: "hi" }] } })),
    );
    expect(await called(web({ url, headers: async () => ({ authorization: "Bearer of-the-store" }) }))).toBe("hi");
    expect(new Set(seen.map(({ headers }) => headers.authorization))).toEqual(new Set(["Bearer of-the-store"]));
    expect(seen.filter(({ method }) => method === "GET")).toEqual([]);
  });
});
