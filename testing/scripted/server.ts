/** @module The HTTP server of the scripted model, on loopback. */
import { createHash } from "node:crypto";
import { readFile, stat } from "node:fs/promises";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { Fault, type Json } from "../../runtime/faults.ts";
import { LIMITS } from "../../runtime/limits.ts";
import { answerTo } from "./answer.ts";
import type { ScriptedModel, ScriptedModelOptions, ScriptedRequest } from "./model.ts";
import type { Script } from "./script.ts";
import { checkScript, parseScript } from "./script-file.ts";
import { errorAnswer, jsonAnswer, SCRIPTED, type WireAnswer } from "./wire.ts";

const LOOPBACK = "127.0.0.1";
const SECOND_MS = 1_000;
/** Requests that the server remembers; the oldest is forgotten. */
const REQUESTS_KEPT_MAX = 10_000;
/** Requests of which the server counts the attempts; the oldest is forgotten. */
const ATTEMPTS_KEPT_MAX = 10_000;
/** Characters of the hash of a request in the id of its reply. */
const ID_CHARS = 24;
const LOCAL_HOST = /^(?:localhost|127\.0\.0\.1|\[::1\])(?::\d+)?$/;

/** Starts the server. @throws `definition.invalid` for a bad script; errors of Node if the file or the port is not available */
export async function startScriptedModel(options: ScriptedModelOptions): Promise<ScriptedModel> {
  const serving = new Serving(await sourceOf(options), options.key);
  const port = await serving.listen(options.port ?? 0);
  return {
    url: `http://${LOOPBACK}:${port}/v1`,
    requests: serving.requests,
    stop: () => serving.stop(),
  };
}

/** Returns the script as it is now. */
type Source = () => Script | Promise<Script>;

async function sourceOf({ script, file }: ScriptedModelOptions): Promise<Source> {
  if (file !== undefined && script === undefined) return fileSource(file);
  if (script === undefined || file !== undefined) throw new Fault("definition.invalid", "scriptedModel: give either script or file");
  const checked = typeof script === "string" ? parseScript(script, "the script") : checkScript(script);
  return () => checked;
}

/** A script file is read again when it has changed. */
async function fileSource(file: string): Promise<Source> {
  const changed = async (): Promise<string> => {
    const { mtimeMs, size } = await stat(file);
    return `${mtimeMs}:${size}`;
  };
  let version = await changed();
  let script = parseScript(await readFile(file, "utf8"), file);
  return async () => {
    const now = await changed();
    if (now !== version) script = parseScript(await readFile(file, "utf8"), file);
    version = now;
    return script;
  };
}

class Serving {
  readonly requests: ScriptedRequest[] = [];
  readonly #source: Source;
  readonly #key: string | undefined;
  readonly #attempts = new Map<string, number>();
  readonly #server: Server;
  readonly #stopped = new AbortController();

  constructor(source: Source, key: string | undefined) {
    this.#source = source;
    this.#key = key;
    this.#server = createServer((request, response) => {
      // A connection that ends early has no reader.
      this.#handle(request, response).catch(() => response.destroy());
    });
  }

  listen(port: number): Promise<number> {
    return new Promise((resolve, reject) => {
      this.#server.once("error", reject);
      this.#server.listen(port, LOOPBACK, () => resolve((this.#server.address() as AddressInfo).port));
    });
  }

  stop(): Promise<void> {
    this.#stopped.abort();
    return new Promise((resolve) => {
      this.#server.close(() => resolve());
      this.#server.closeAllConnections();
    });
  }

  async #handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const ended = new AbortController();
    response.once("close", () => ended.abort());
    const signal = AbortSignal.any([ended.signal, this.#stopped.signal]);
    await send(await this.#answer(request), response, signal);
  }

  async #answer(request: IncomingMessage): Promise<WireAnswer> {
    const { method, url = "", headers } = request;
    if (!LOCAL_HOST.test(headers.host ?? "") || headers.origin !== undefined)
      return errorAnswer(403, "forbidden", "The scripted model answers programs of this machine only.");
    if (this.#key !== undefined && headers.authorization !== `Bearer ${this.#key}`)
      return errorAnswer(401, "invalid_api_key", "The key is not that of this scripted model.");
    const { pathname } = new URL(url, `http://${LOOPBACK}`);
    if (method === "GET" && pathname === "/v1/models")
      return jsonAnswer(200, { object: "list", data: [{ id: SCRIPTED, object: "model", created: 0, owned_by: SCRIPTED }] });
    if (method !== "POST" || pathname !== "/v1/chat/completions")
      return errorAnswer(404, "not_found", `The scripted model has no ${method} ${pathname}.`);
    const text = await bodyOf(request);
    if (text === undefined) return errorAnswer(413, "body_too_large", `The body is larger than ${LIMITS.bodyBytesMax} bytes.`);
    return this.#reply(text, headerOf(headers["idempotency-key"]));
  }

  async #reply(text: string, idempotencyKey: string | undefined): Promise<WireAnswer> {
    let body: Json;
    try {
      body = JSON.parse(text) as Json;
    } catch {
      return errorAnswer(400, "invalid_json", "The body is not JSON.");
    }
    let script: Script;
    try {
      script = await this.#source();
    } catch (error) {
      return errorAnswer(400, "script_invalid", error instanceof Error ? error.message : String(error));
    }
    const hash = createHash("sha256").update(text).digest("hex");
    const attempt = this.#count(idempotencyKey ?? hash);
    const id = `chatcmpl-${SCRIPTED}-${hash.slice(0, ID_CHARS)}`;
    const createdSeconds = Math.floor(Date.now() / SECOND_MS);
    const { answer, asked, rule, error } = answerTo(script, body, {
      attempt,
      id,
      createdSeconds,
    });
    this.requests.push({
      idempotencyKey,
      attempt,
      model: asked?.model,
      agent: asked?.agent,
      call: asked?.call,
      body,
      rule,
      error,
      status: answer.status,
    });
    if (this.requests.length > REQUESTS_KEPT_MAX) this.requests.shift();
    return answer;
  }

  #count(request: string): number {
    const attempt = (this.#attempts.get(request) ?? 0) + 1;
    this.#attempts.delete(request);
    this.#attempts.set(request, attempt);
    const [oldest] = this.#attempts.keys();
    if (this.#attempts.size > ATTEMPTS_KEPT_MAX && oldest !== undefined) this.#attempts.delete(oldest);
    return attempt;
  }
}

async function send(answer: WireAnswer, response: ServerResponse, signal: AbortSignal): Promise<void> {
  if (answer.pieces.length === 0 && answer.end === "cut") {
    response.destroy();
    return;
  }
  response.writeHead(answer.status, answer.headers);
  for (const { text, delayMs } of answer.pieces) {
    if (delayMs > 0) await sleep(delayMs, undefined, { signal });
    response.write(text);
  }
  if (answer.end === "complete") response.end();
  else if (answer.end === "cut") await flushed(response);
  else response.flushHeaders();
}

/** Ends the connection in the midst of the body, after what was written has left. */
async function flushed(response: ServerResponse): Promise<void> {
  await new Promise<void>((resolve) => response.write("", () => resolve()));
  response.destroy();
}

/** The body, or undefined if it is too large. */
async function bodyOf(request: IncomingMessage): Promise<string | undefined> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size > LIMITS.bodyBytesMax) return undefined;
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString("utf8");
}

function headerOf(value: string | readonly string[] | undefined): string | undefined {
  return typeof value === "string" ? value : value?.[0];
}
