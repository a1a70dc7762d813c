/**
 * @module A provider of models for live tests: an HTTP server of the Chat Completions protocol that logs every request by its idempotency
 * key and does not deduplicate. It asks for some tool calls, one after another, and then answers.
 */
import { createServer, type Server } from "node:http";
import { text } from "node:stream/consumers";
import type { AddressInfo } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { z } from "zod";

const Body = z.looseObject({ messages: z.array(z.looseObject({ role: z.string() })) });
const USAGE = { prompt_tokens: 40, completion_tokens: 10, total_tokens: 50 };

/** One request, as the provider saw it. */
export interface ModelRequestSeen {
  readonly key: string;
  readonly atMs: number;
  /** Absent while it is not answered, and if its caller went away. */
  answeredAtMs?: number;
}

/** A running provider. */
export class ModelProvider {
  readonly seen: ModelRequestSeen[] = [];
  readonly #server: Server;
  readonly #delayMs: () => number;
  readonly #effects: number;

  private constructor(effects: number, delayMs: () => number) {
    this.#effects = effects;
    this.#delayMs = delayMs;
    this.#server = createServer((request, response) => {
      void this.#answer(String(request.headers["idempotency-key"]), text(request)).then((body) => {
        response.writeHead(200, { "content-type": "application/json" });
        response.end(JSON.stringify(body));
      });
      response.on("error", () => {});
    });
  }

  /** Starts a provider whose answers come after `delayMs()`. Each conversation has `effects` tool calls. */
  static async start(effects: number, delayMs: () => number): Promise<ModelProvider> {
    const provider = new ModelProvider(effects, delayMs);
    await new Promise<void>((resolve) => provider.#server.listen(0, "127.0.0.1", resolve));
    return provider;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}/v1`;
  }

  /** How often each key was requested. */
  get times(): ReadonlyMap<string, number> {
    const times = new Map<string, number>();
    for (const { key } of this.seen) times.set(key, (times.get(key) ?? 0) + 1);
    return times;
  }

  async stop(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  async #answer(key: string, sent: Promise<string>): Promise<object> {
    const seen: ModelRequestSeen = { key, atMs: Date.now() };
    this.seen.push(seen);
    const { messages } = Body.parse(JSON.parse(await sent));
    await sleep(this.#delayMs());
    seen.answeredAtMs = Date.now();
    const done = messages.filter(({ role }) => role === "tool").length;
    const message =
      done < this.#effects
        ? { role: "assistant", content: null, tool_calls: [toolCall(done)] }
        : { role: "assistant", content: JSON.stringify({ price: done }) };
    const finish = done < this.#effects ? "tool_calls" : "stop";
    return {
      ...{ id: key, object: "chat.completion", model: "counting-1", usage: USAGE },
      choices: [{ index: 0, message, finish_reason: finish }],
    };
  }
}

function toolCall(count: number): object {
  return { id: `call_${count}`, type: "function", function: { name: "buy", arguments: JSON.stringify({ item: `item ${count}` }) } };
}
