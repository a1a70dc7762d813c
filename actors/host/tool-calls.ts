/**
 * @module Makes tool calls: records the beginning if required, retries by the tool's policy, records the end.
 */
import { faultLabelOf, outputLabelOf, type ToolDefinition } from "../../agents/tool.ts";
import type { CallName, FailedTry, InputOf } from "../../runtime/agent/inputs.ts";
import type { AgentWork, Call } from "../../runtime/agent/state.ts";
import { Fault, type FaultCode, faultFromUserCode, isFault, isRetryable, type Json } from "../../runtime/faults.ts";
import { idempotencyKey } from "../../runtime/ids.ts";
import { type Label, labelField } from "../../runtime/label.ts";
import { backoffMs } from "../../runtime/slip.ts";
import type { Clock, RandomSource } from "../engine/ports.ts";
import type { CallTelemetry } from "../telemetry/calls.ts";
import { isGrantNeeded, whyNotBegun } from "./handler-budget.ts";
import { timed } from "./timed.ts";
import { withBreaker } from "./tool-breakers.ts";

/** What an execution reports to its actor about calls. */
export type ToldOfCall =
  | Pick<InputOf<"call-begun">, "kind" | "call">
  | Pick<InputOf<"call-tried">, "kind" | "call" | "tries" | "end">
  | Pick<InputOf<"call-ended">, "kind" | "call">;

/** The parts of tool calls. */
export interface ToolCallsParts {
  readonly work: AgentWork;
  readonly clock: Clock;
  readonly random: RandomSource;
  readonly telemetry: CallTelemetry;
  /** Aborted when the execution is stopped or its handler has ended; later failures are not recorded. */
  readonly signal: AbortSignal;
  /** Records a report. Throws the refusal. */
  readonly tell: (told: ToldOfCall) => Promise<unknown>;
  /** Notes the label of what the handler receives. */
  readonly received: (label: Label) => void;
  /** Runs the tool's function with a slot. */
  readonly act: <T>(action: () => T | Promise<T>) => Promise<T>;
  /** Waits without a slot; ends early if the signal is aborted. */
  readonly rest: (ms: number) => Promise<void>;
}

/** One call, as the handler makes it. */
export interface MadeCall {
  readonly tool: ToolDefinition;
  readonly input: Json;
  readonly key: string;
  /** Of all that the handler had received when it made the call. */
  readonly label: Label;
}

/** The calls of one execution. */
export class ToolCalls {
  readonly #parts: ToolCallsParts;

  constructor(parts: ToolCallsParts) {
    this.#parts = parts;
  }

  /** Makes a call of which at most the beginning is recorded. Returns its checked output, or throws the recorded fault. */
  async make(call: MadeCall, known: Call | undefined): Promise<Json> {
    const { tool } = call;
    const { attempt } = this.#parts.work;
    let tries = known?.tried?.attempt === attempt ? known.tried.tries : 0;
    let open = known?.open === true;
    let begun = open || (known?.undo === true && tool.unknown === "repeat" && !this.#isCounted);
    if (tries > 0) await this.#rest(tool, tries);
    for (;;) {
      let ran = false;
      try {
        const found = open ? await this.#lookUp(call, tries + 1) : undefined;
        if (found !== undefined) return await this.#end(call, found);
        if (!begun) await this.#begin(call);
        ran = true;
        return await this.#end(call, await this.#try(call, tries + 1));
      } catch (error) {
        if (this.#parts.signal.aborted || isGrantNeeded(error)) throw error;
        tries += 1;
        open = ran ? tool.unknown !== "repeat" && isUnanswered(error) : open;
        await this.#fail(call, error, { tries, open });
        begun = open || (tool.unknown === "repeat" && !this.#isCounted);
        await this.#rest(tool, tries);
      }
    }
  }

  /**
   * Records a call first if it may have to be undone, its end must not stay unknown, or calls are budgeted. Without that record the call
   * is not made.
   */
  async #begin({ tool, input, key }: MadeCall): Promise<void> {
    const undo = tool.undo !== undefined;
    if (!undo && tool.unknown === "repeat" && !this.#isCounted) return;
    const call = { ...nameOf(tool, key), undo, ...(undo ? { input } : {}) };
    await this.#parts.tell({ kind: "call-begun", call }).catch((refusal: unknown) => Promise.reject(whyNotBegun(refusal)));
    if (this.#parts.signal.aborted) throw this.#parts.signal.reason;
  }

  /** Whether each try needs a place in the grant. */
  get #isCounted(): boolean {
    return this.#parts.work.grant?.toolCalls !== undefined;
  }

  async #try({ tool, input, key }: MadeCall, attempt: number): Promise<Json> {
    const observed = { tool: tool.name, key, input };
    const made = await this.#parts.telemetry.tool(observed, () => this.#run(tool, key, attempt, (call) => tool.run(input, call)));
    return tool.checkOutput(made ?? null);
  }

  /** Returns the output of a call whose end is unknown. Undefined: it did not happen, or may be repeated. */
  async #lookUp({ tool, input, key }: MadeCall, attempt: number): Promise<Json | undefined> {
    const { lookup } = tool;
    if (tool.unknown === "repeat") return undefined;
    if (tool.unknown === "stop" || lookup === undefined)
      throw new Fault("call.unknown", `the call ${this.#keyOf(key)} began, but its end was not recorded`, { key: this.#keyOf(key) });
    const found = await this.#run(tool, key, attempt, (call) => lookup(input, call));
    return found === undefined ? undefined : tool.checkOutput(found);
  }

  #run(
    tool: ToolDefinition,
    key: string,
    attempt: number,
    action: (call: Parameters<ToolDefinition["run"]>[1]) => unknown,
  ): Promise<unknown> {
    const { clock, signal, act } = this.#parts;
    const { timeoutMs, name } = tool;
    return withBreaker(tool, clock, signal, () =>
      timed({ clock, signal, timeoutMs, what: `tool ${name}` }, (own) =>
        act(() => action({ idempotencyKey: this.#keyOf(key), signal: own, attempt })),
      ),
    );
  }

  async #end({ tool, key }: MadeCall, output: Json): Promise<Json> {
    const label = outputLabelOf(tool);
    await this.#parts.tell({ kind: "call-ended", call: { ...nameOf(tool, key), end: { output }, ...labelField(label) } });
    this.#parts.received(label);
    return output;
  }

  /** Records a failure, and throws it unless the call is retried. The cause is available for logs in this execution only. */
  async #fail({ tool, key }: MadeCall, error: unknown, { tries, open }: { readonly tries: number; readonly open: boolean }): Promise<void> {
    const fault = faultFromUserCode(error);
    const end: FailedTry = { fault, ...(open ? { open } : {}) };
    const call = nameOf(tool, key);
    if (isRetryable(fault) && tries < tool.retry.attemptsMax) {
      await this.#parts.tell({ kind: "call-tried", call, tries, end });
      return;
    }
    const label = faultLabelOf(tool);
    await this.#parts.tell({ kind: "call-ended", call: { ...call, end, ...labelField(label) } });
    this.#parts.received(label);
    throw Fault.fromWire(fault, error);
  }

  async #rest(tool: ToolDefinition, tries: number): Promise<void> {
    const { random, rest, signal } = this.#parts;
    await rest(backoffMs(tool.retry, tries, random.jitter01()));
    if (signal.aborted) throw signal.reason;
  }

  #keyOf(key: string): string {
    return idempotencyKey(this.#parts.work.id, key);
  }
}

function nameOf(tool: ToolDefinition, key: string): CallName {
  return { key, tool: tool.name, ...(tool.effect !== "read" && tool.undo === undefined ? { stands: true } : {}) };
}

const UNANSWERED: ReadonlySet<string> = new Set<FaultCode>(["call.timeout", "mcp.unanswered"]);

/** Faults after which it is unknown whether a call had its effect. */
function isUnanswered(error: unknown): boolean {
  return isFault(error) && UNANSWERED.has(error.code);
}
