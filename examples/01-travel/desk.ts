/**
 * @module The booking desk: the external system that the travel party changes. One file per reservation.
 *
 * The file's name comes from the idempotency key, and an existing file is kept. So repeated calls make one reservation, and an
 * undo that finds no reservation succeeds.
 */
import { createHash } from "node:crypto";
import { mkdir, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import type { ToolCall } from "troupe";
import type { Booking, Offer } from "./contracts.ts";

const CODE_CHARS = 6;

/** Reserves an offer, once per key. TRAVEL_DESK_MS delays each reservation, so that you have time to kill a host. */
export async function reserve(offer: Offer, { idempotencyKey: key, signal }: ToolCall): Promise<Booking> {
  const code = codeOf(key);
  await sleep(Number(process.env["TRAVEL_DESK_MS"] ?? 0), undefined, { signal });
  await mkdir(folder(), { recursive: true });
  await writeFile(file(key), JSON.stringify({ key, code, ...offer }), { flag: "wx" }).catch((error: unknown) => {
    if (!isThere(error)) throw error;
  });
  return { ...offer, code };
}

/** Cancels a reservation; does nothing if there is none. The key is enough, because the reservation itself may be unknown. */
export async function cancel(_query: unknown, _booking: Booking | undefined, { idempotencyKey }: ToolCall): Promise<void> {
  await rm(file(idempotencyKey), { force: true });
}

/** The folder of the reservations. */
function folder(): string {
  return process.env["TRAVEL_DESK"] ?? join(".troupe", "bookings");
}

function file(key: string): string {
  return join(folder(), `${createHash("sha256").update(key).digest("hex")}.json`);
}

function codeOf(key: string): string {
  return createHash("sha256").update(key).digest("hex").slice(0, CODE_CHARS).toUpperCase();
}

function isThere(error: unknown): boolean {
  return error instanceof Error && "code" in error && error.code === "EEXIST";
}
