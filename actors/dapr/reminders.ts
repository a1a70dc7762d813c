/**
 * @module Reminders as Dapr actor reminders: repeating, with what they carry as their data.
 *
 * They are never one-shot: daprd 1.18.2 drops a one-shot reminder after about three seconds of trouble with the app
 * (docs/dapr-client.md). A tick only means "check your journal".
 */
import { Fault, type Json } from "../../runtime/faults.ts";
import type { Address } from "../../runtime/protocol.ts";
import type { Reminders } from "../engine/ports.ts";
import { excerpt, segment, type SidecarClient } from "./client.ts";

const STATUS_OK_FIRST = 200;
const STATUS_OK_LAST = 299;

/** {@link Reminders} over the sidecar. The sidecar must host the actor's type. */
export class DaprReminders implements Reminders {
  readonly #client: SidecarClient;

  constructor(client: SidecarClient) {
    this.#client = client;
  }

  async set(actor: Address, name: string, dueMs: number, periodMs: number, carried?: Json): Promise<void> {
    const times = { dueTime: goDuration(dueMs), period: goDuration(periodMs) };
    await this.#call("POST", actor, name, JSON.stringify(carried === undefined ? times : { ...times, data: carried }));
  }

  async remove(actor: Address, name: string): Promise<void> {
    await this.#call("DELETE", actor, name);
  }

  async #call(method: "POST" | "DELETE", actor: Address, name: string, body?: string): Promise<void> {
    const path = `/v1.0/actors/${segment(actor.type)}/${segment(actor.id)}/reminders/${segment(name)}`;
    const answer = await this.#client.call({ method, path, body });
    if (answer.status < STATUS_OK_FIRST || answer.status > STATUS_OK_LAST)
      throw new Fault("sidecar.unavailable", `reminder ${name} of ${actor.type}/${actor.id}: ${excerpt(answer)}`);
  }
}

const SECOND_MS = 1_000;

/** A duration in Go's format: `3s`, `600s`, `250ms`. Fractions of a millisecond are rounded up. */
export function goDuration(ms: number): string {
  const whole = Math.max(0, Math.ceil(ms));
  return whole % SECOND_MS === 0 ? `${whole / SECOND_MS}s` : `${whole}ms`;
}
