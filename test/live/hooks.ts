/**
 * @module Hooks of the test's app around its calls to the sidecar. Product code does not depend on them.
 *
 * They count what is in flight for the test that kills the app, and freeze the process (SIGSTOP) right before a chosen write.
 */
import { appendFileSync, existsSync, readFileSync, rmSync } from "node:fs";
import { Server, type IncomingMessage, type ServerResponse } from "node:http";
import { SidecarClient, type SidecarAnswer, type SidecarCall } from "../../actors/dapr/client.ts";
import { Retention, type SweepOptions, type SweepResult } from "../../actors/retention/retention.ts";
import type { Gauge, GaugeWriter } from "./gauge.ts";

/** A write to freeze before: the request's method and path must match one pattern, its body the other. */
export interface Freeze {
  readonly path: string;
  readonly body: string;
}

export interface HookOptions {
  readonly gauges: GaugeWriter;
  /** A {@link Freeze} as JSON, written by the test; absent most of the time. */
  readonly freezeFile: string | undefined;
}

/** An unanswered request of daprd to the host is a turn in flight, or one that waits for its turn. A waiting caller does not count. */
function countTurns(gauges: GaugeWriter): void {
  const plain = Server.prototype.emit as (this: Server, name: string | symbol, ...rest: unknown[]) => boolean;
  function hooked(this: Server, name: string | symbol, ...rest: unknown[]): boolean {
    const [request, response] = rest as [IncomingMessage | undefined, ServerResponse | undefined];
    if (name === "request" && request?.method !== "GET" && request?.url?.startsWith("/tasks") === false && response !== undefined) {
      gauges.change("turn", 1);
      response.once("close", () => gauges.change("turn", -1));
    }
    return plain.call(this, name, ...rest);
  }
  Object.assign(Server.prototype, { emit: hooked });
}

function gaugeOf(path: string): Gauge {
  if (path.startsWith("/v1.0/state/")) return "turn";
  return path.includes("/reminders/") ? "reminder" : "message";
}

/** Installs the hooks around every call to the sidecar. */
export function installHooks({ gauges, freezeFile }: HookOptions): void {
  let frozen = false;
  const plain = SidecarClient.prototype.call;
  SidecarClient.prototype.call = async function hooked(this: SidecarClient, call: SidecarCall): Promise<SidecarAnswer> {
    // The call's own time limit begins when the process has resumed.
    const stopped = freezeFile !== undefined && stopBefore(freezeFile, call);
    frozen ||= stopped;
    const gauge = gaugeOf(call.path);
    return gauges.during(gauge, async () => {
      const answer = await plain.call(this, call);
      if (freezeFile !== undefined && (stopped || (frozen && gauge === "reminder")))
        tell(freezeFile, { what: stopped ? "answered" : "reminder", path: callText(call), status: answer.status });
      return answer;
    });
  };
  countTurns(gauges);
}

/**
 * Kills this process at the nth call with which a purge changes the store: before odd ones, after even ones. Prints the
 * number of such calls at the end of each sweep ({@link sweepsIn}).
 */
export function killAtPurge(at: number): void {
  const plain = SidecarClient.prototype.call;
  let count = 0;
  const sweep = Retention.prototype.sweep;
  Retention.prototype.sweep = async function told(this: Retention, options?: SweepOptions): Promise<SweepResult> {
    const result = await sweep.call(this, options);
    process.stdout.write(`a sweep ended after ${count} purging calls\n`);
    return result;
  };
  SidecarClient.prototype.call = async function counted(this: SidecarClient, call: SidecarCall): Promise<SidecarAnswer> {
    const isPurge =
      call.path.startsWith("/v1.0/state/") &&
      (call.method === "DELETE" ||
        call.body?.includes('"operation":"delete"') === true ||
        call.body?.includes('"etag":') === true ||
        call.body?.includes('\\"e\\":\\"purged\\"') === true);
    if (isPurge) count += 1;
    const isHere = isPurge && count === at;
    if (isHere && at % 2 === 1) process.kill(process.pid, "SIGKILL");
    const answer = await plain.call(this, call);
    if (isHere) process.kill(process.pid, "SIGKILL");
    return answer;
  };
}

/** Of each sweep that ended, in order: the purging calls of the app's life until then. */
export function sweepsIn(log: string): readonly number[] {
  return [...log.matchAll(/^a sweep ended after (\d+) purging calls$/gm)].map(([, calls]) => Number(calls));
}

/** The record of an undo at which the app is killed: the nth that this life of the app writes. */
export interface UndoKill {
  readonly when: "before" | "after";
  readonly nth: number;
}

/** An event `call-undone` in a record's text, which is quoted once more in the request; the group is the key of the call. */
const CALL_UNDONE = /\\"e\\":\\"call-undone\\",\\"workId\\":\\"[^"\\]*\\",\\"key\\":\\"([^"\\]*)\\"/;

/** Kills this process right before or after the write of the nth record of an undo, and prints the call's key ({@link undoKillsIn}). */
export function killAtUndo({ when, nth }: UndoKill): void {
  const plain = SidecarClient.prototype.call;
  // A write whose result is unknown is made again.
  const written = new Set<string>();
  SidecarClient.prototype.call = async function counted(this: SidecarClient, call: SidecarCall): Promise<SidecarAnswer> {
    const key = call.path.startsWith("/v1.0/state/") ? CALL_UNDONE.exec(call.body ?? "")?.[1] : undefined;
    if (key !== undefined) written.add(key);
    if (key === undefined || written.size !== nth) return plain.call(this, call);
    if (when === "before") dieAt(when, key);
    const answer = await plain.call(this, call);
    dieAt(when, key);
    return answer;
  };
}

function dieAt(when: UndoKill["when"], key: string): void {
  process.stdout.write(`killed ${when} the record of the undo of ${key}\n`);
  process.kill(process.pid, "SIGKILL");
}

/** The kills of {@link killAtUndo} in the log of an app, in order. */
export function undoKillsIn(log: string): readonly { readonly when: string; readonly key: string }[] {
  return [...log.matchAll(/^killed (before|after) the record of the undo of (\S+)$/gm)].map(([, when = "", key = ""]) => ({ when, key }));
}

function stopBefore(freezeFile: string, call: SidecarCall): boolean {
  if (!existsSync(freezeFile)) return false;
  const freeze = JSON.parse(readFileSync(freezeFile, "utf8")) as Freeze;
  if (!new RegExp(freeze.path).test(callText(call)) || !new RegExp(freeze.body).test(call.body ?? "")) return false;
  rmSync(freezeFile);
  tell(freezeFile, { what: "stopped", path: callText(call), status: 0 });
  process.kill(process.pid, "SIGSTOP");
  return true;
}

function callText(call: SidecarCall): string {
  return `${call.method} ${decodeURIComponent(call.path)}`;
}

/** What the hooks saw, a line each, in `<freezeFile>.log`. */
export interface Sighting {
  readonly what: "stopped" | "answered" | "reminder";
  readonly path: string;
  readonly status: number;
}

function tell(freezeFile: string, sighting: Sighting): void {
  appendFileSync(`${freezeFile}.log`, `${JSON.stringify(sighting)}\n`);
}
