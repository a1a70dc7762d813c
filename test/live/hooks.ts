/**
 * @module Hooks of the test's app around its calls to the sidecar. Product code knows nothing of them.
 *
 * Counts what is in flight for the test that kills the app, and stops the process (SIGSTOP) right before a chosen write.
 */
import { appendFileSync, existsSync, readFileSync, rmSync } from "node:fs";
import { Server, type IncomingMessage, type ServerResponse } from "node:http";
import { Pool, type Dispatcher } from "undici";
import type { Gauge, GaugeWriter } from "./gauge.ts";

/** A write to stop before: the request's method and path must match one pattern, its body the other. */
export interface Freeze {
  readonly path: string;
  readonly body: string;
}

export interface HookOptions {
  readonly gauges: GaugeWriter;
  /** A {@link Freeze} as JSON, put there by the test; absent most of the time. */
  readonly freezeFile: string | undefined;
}

/** What was asked of the host and is not answered is a turn in flight, or one that waits for its turn. */
function countTurns(gauges: GaugeWriter): void {
  const plain = Server.prototype.emit as (this: Server, name: string | symbol, ...rest: unknown[]) => boolean;
  function hooked(this: Server, name: string | symbol, ...rest: unknown[]): boolean {
    const [request, response] = rest as [IncomingMessage | undefined, ServerResponse | undefined];
    if (name === "request" && request?.method !== "GET" && response !== undefined) {
      gauges.change("turn", 1);
      response.once("close", () => gauges.change("turn", -1));
    }
    return plain.call(this, name, ...rest);
  }
  Object.assign(Server.prototype, { emit: hooked });
}

function gaugeOf(path: string): Gauge {
  if (path.startsWith("/v1.0/state/")) return "turn";
  return path.includes("/reminders/") ? "alarm" : "message";
}

/** Puts the hooks around every call that undici's pools make from now on. */
export function installHooks({ gauges, freezeFile }: HookOptions): void {
  const plain = Pool.prototype.request as (this: Pool, options: Dispatcher.RequestOptions) => Promise<Dispatcher.ResponseData>;
  async function hooked(this: Pool, options: Dispatcher.RequestOptions): Promise<Dispatcher.ResponseData> {
    const stopped = freezeFile !== undefined && stopBefore(freezeFile, options);
    return gauges.during(gaugeOf(String(options.path)), async () => {
      const answer = await plain.call(this, stopped ? { ...options, signal: null } : options);
      if (stopped && freezeFile !== undefined) appendFileSync(`${freezeFile}.log`, `${JSON.stringify({ path: options.path, body: String(options.body), status: answer.statusCode })}\n`);
      return answer;
    });
  }
  Object.assign(Pool.prototype, { request: hooked });
  countTurns(gauges);
}

function stopBefore(freezeFile: string, options: Dispatcher.RequestOptions): boolean {
  if (!existsSync(freezeFile)) return false;
  const freeze = JSON.parse(readFileSync(freezeFile, "utf8")) as Freeze;
  if (!new RegExp(freeze.path).test(`${options.method} ${decodeURIComponent(String(options.path))}`) || !new RegExp(freeze.body).test(String(options.body ?? ""))) return false;
  rmSync(freezeFile);
  appendFileSync(`${freezeFile}.log`, `${JSON.stringify({ stopped: String(options.path) })}\n`);
  process.kill(process.pid, "SIGSTOP");
  return true;
}
