/** @module Requests to process managers: created, delivered until answered, and turned into receipts. */
import { Fault, isFault } from "../../runtime/faults.ts";
import { LIMITS } from "../../runtime/limits.ts";
import { ManagerView } from "../../runtime/process-view.ts";
import { type Address, actorType, type Message, traceId, type TurnAnswer } from "../../runtime/protocol.ts";
import { carried } from "../../runtime/protocol/principal.ts";
import type { Caller, TaskReceipt } from "./operations.ts";
import { pause } from "../engine/pause.ts";
import type { Ports } from "../engine/ports.ts";
import { freshTrace } from "../telemetry/spans.ts";

/** Sends requests to the processes of one system. The process may be on any host: every request goes through the transport. */
export class Requests {
  readonly #ports: Ports;
  readonly #system: string;

  constructor(ports: Ports, system: string) {
    this.#ports = ports;
    this.#system = system;
  }

  process(id: string): Address {
    return { type: actorType(this.#system, "ProcessManager"), id };
  }

  /** What a process manager shows of itself. */
  async inspect(id: string): Promise<ManagerView> {
    return ManagerView.parse(await this.#ports.transport.inspect(this.process(id)));
  }

  /** Creates a message to a process. `messageId` is random if omitted. */
  message(
    id: string,
    body: Message["body"],
    caller: Caller,
    expiresAtMs: number,
    messageId: string = `${body.kind}-${this.#ports.random.token()}`,
  ): Message {
    return {
      v: 1,
      id: messageId,
      to: this.process(id),
      from: "client",
      processId: id,
      createdAtMs: this.#ports.clock.nowMs(),
      expiresAtMs,
      hop: 0,
      principal: carried(caller.principal),
      trace: caller.trace ?? freshTrace(this.#ports.random),
      body,
    };
  }

  /**
   * Delivers a message until it is answered. An answer may be lost although the request was recorded; the same message sent again gets
   * the same receipt.
   */
  async insist(message: Message): Promise<TurnAnswer> {
    const { transport, clock } = this.#ports;
    for (let attempt = 1; ; attempt += 1) {
      try {
        return await transport.deliver(message);
      } catch (error) {
        if (attempt >= LIMITS.submitAttemptsMax || !isFault(error) || error.code !== "sidecar.unavailable") throw error;
        await pause(clock, LIMITS.recordRetryMsMin);
      }
    }
  }

  /** The receipt in an answer. Throws the fault of a refusal. */
  receipt(route: string, message: Message, answer: TurnAnswer): TaskReceipt {
    if ("refused" in answer) throw Fault.fromWire(answer.refused);
    return {
      id: message.to.id,
      route,
      run: answer.run ?? 1,
      sequence: answer.receipt.sequence,
      traceId: answer.traceId ?? traceId(message.trace),
      ...(answer.notReached === undefined ? {} : { notReached: [...answer.notReached] }),
    };
  }
}
