/** @module Followers of lists: what has changed is named once, together, each tenant its own, within bounds, and no content of it. */
import { createHash } from "node:crypto";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import type { ChangeListener } from "../../../actors/operations/changes.ts";
import type { Change } from "../../../runtime/change.ts";
import { insideId } from "../../../runtime/ids.ts";
import { LIMITS } from "../../../runtime/limits.ts";
import { HandClock } from "../engine-rig.ts";
import { follow, type Reader } from "./events.ts";
import { ErrorAnswer, type HttpRig, startRig } from "./rig.ts";

/** More than the time within which changes are told together. */
const TOGETHER_MS = 300;

vi.mock("../../../runtime/limits.ts", async (original) => {
  const { LIMITS: real } = await original<{ readonly LIMITS: typeof LIMITS }>();
  return { LIMITS: { ...real, changesStreamsMax: 4, followStreamsPerReaderMax: 2, changesToldMax: 3 } };
});

const entry = (token: string, tenant?: string): object => ({
  sha256: createHash("sha256").update(token).digest("hex"),
  ...{ subject: token, roles: ["read"] },
  ...(tenant === undefined ? {} : { tenant }),
});
const TOKENS = [entry("ann"), entry("bob"), entry("cyd"), entry("acme", "acme")];

let rig: HttpRig;
let clock: HandClock;
let followers: Set<ChangeListener>;
let readers: Reader[];

beforeEach(async () => {
  clock = new HandClock();
  rig = await startRig({ clock, appToken: "app-token-of-the-rig", tokens: TOKENS as never });
  [followers, readers] = [new Set(), []];
  rig.behaviour.changes = (changed) => {
    followers.add(changed);
    return () => void followers.delete(changed);
  };
});
afterEach(async () => {
  for (const reader of readers) reader.close();
  await rig.host.drain();
  await expect.poll(() => [followers.size, clock.pending]).toEqual([0, 0]);
});

async function open(token: string, more: Readonly<Record<string, string>> = {}): Promise<Reader> {
  const reader = await follow(`${rig.origin}/events`, { authorization: `Bearer ${token}`, ...more });
  readers.push(reader);
  return reader;
}

function tell(...changes: readonly Change[]): void {
  for (const changed of followers) changed(changes);
}

const process = (id: string, status = "open"): Change => ({ kind: "process", id, route: "trip", status });

test("changes that come close together are one event, each entry as it stands last", async () => {
  const reader = await open("ann");
  expect([reader.status, reader.headers["content-type"], reader.headers["cache-control"]]).toEqual([200, "text/event-stream", "no-store"]);
  tell(process("p"), { kind: "request", id: "p.r1", status: "open" });
  tell(process("p", "completed"));
  await clock.advance(TOGETHER_MS);
  expect(await reader.next()).toEqual({
    name: "changed",
    id: "1",
    data: { changes: [process("p", "completed"), { kind: "request", id: "p.r1", status: "open" }] },
  });
  tell(process("q"));
  await clock.advance(TOGETHER_MS);
  expect(await reader.next()).toEqual({ name: "changed", id: "2", data: { changes: [process("q")] } });
});

test("more changes than one event names are told as more", async () => {
  const reader = await open("ann");
  tell(...["a", "b", "c", "d", "e"].map((id) => process(id)), process("a", "failed"));
  await clock.advance(TOGETHER_MS);
  expect(await reader.next()).toMatchObject({ data: { changes: [process("a", "failed"), process("b"), process("c")], more: true } });
  tell(process("d"));
  await clock.advance(TOGETHER_MS);
  expect(await reader.next()).toEqual({ name: "changed", id: "2", data: { changes: [process("d")] } });
});

test("a reader that comes again is told to read its lists again, and its ids go on", async () => {
  const reader = await open("ann", { "last-event-id": "7" });
  await clock.advance(TOGETHER_MS);
  expect(await reader.next()).toEqual({ name: "changed", id: "8", data: { changes: [], more: true } });
});

test("a tenant is told of its own, under the ids that it gave; releases and invalid messages are of all", async () => {
  const [own, all] = [await open("acme"), await open("ann")];
  const ofAll: Change = { kind: "release", id: "Planner", status: "open" };
  const [ownId, otherId] = [insideId("p", "acme"), insideId("p", "globex")];
  tell(process(ownId), process(otherId), ofAll);
  await clock.advance(TOGETHER_MS);
  const [first, second] = [await own.next(), await all.next()];
  expect(second).toMatchObject({ data: { changes: [process(ownId), process(otherId), ofAll] } });
  expect(first).toMatchObject({ data: { changes: [process("p")] } });
  tell(process(otherId), { kind: "deadletter", id: "invalid-1", status: "open" });
  await clock.advance(TOGETHER_MS);
  tell(process(insideId("r", "acme")));
  await clock.advance(TOGETHER_MS);
  expect(await own.next()).toEqual({ name: "changed", id: "2", data: { changes: [process("r")] } });
});

test("a host that stops writes nothing into a stream that it has ended, also of a reader that takes nothing", async () => {
  const reader = await open("ann");
  reader.pause();
  for (let round = 0; round < 60; round += 1) {
    tell({ kind: "process", id: "a", route: "r".repeat(400_000), status: `s${round}` });
    await clock.advance(TOGETHER_MS);
  }
  const errors: unknown[] = [];
  const note = (error: unknown): void => void errors.push(error);
  globalThis.process.on("uncaughtException", note);
  tell(process("b"));
  const drained = rig.host.drain();
  tell(process("c"));
  await clock.advance(2 * LIMITS.followKeepAliveMs);
  reader.close();
  await drained;
  globalThis.process.off("uncaughtException", note);
  expect([errors, followers.size]).toEqual([[], 0]);
});

test("a comment keeps a quiet stream open", async () => {
  const reader = await open("ann");
  await clock.advance(LIMITS.followKeepAliveMs);
  expect(await reader.next()).toMatchObject({ name: "comment" });
});

test("a reader that takes nothing holds no more than one event, and gets the rest when it reads again", async () => {
  const reader = await open("ann");
  reader.pause();
  const long = (id: string, status: string): Change => ({ kind: "process", id, route: "r".repeat(200_000), status });
  for (let round = 0; round < 60; round += 1) {
    tell(long("a", `s${round}`), long("b", `s${round}`));
    await clock.advance(TOGETHER_MS);
  }
  tell(process("c"), process("d"));
  reader.resume();
  const seen: Change[] = [];
  let events = 0;
  while (seen.at(-1)?.id !== "d" && !seen.some(({ id, status }) => id === "c" && status === "open")) {
    await clock.advance(TOGETHER_MS);
    const next = await reader.next();
    events += 1;
    seen.push(...(next?.data as { readonly changes: readonly Change[] }).changes);
  }
  expect(events).toBeLessThan(60);
  expect(seen.findLast(({ id }) => id === "a")?.status).toBe("s59");
});

test("neither one reader nor all together have more streams than the bounds", async () => {
  const refused = async (token: string): Promise<string> => {
    const answer = await rig.call("GET", "/events", undefined, { authorization: `Bearer ${token}` });
    expect(answer.status).toBe(429);
    return ErrorAnswer.parse(answer.json).error.code;
  };
  await open("ann");
  const second = await open("ann");
  expect(await refused("ann")).toBe("stream.too-many");
  await open("bob");
  await open("bob");
  expect(await refused("cyd")).toBe("stream.too-many");
  second.close();
  await expect.poll(() => followers.size).toBe(3);
  await open("cyd");
});

test("HEAD takes no stream, and who may not read gets none", async () => {
  expect((await rig.call("HEAD", "/events", undefined, { authorization: "Bearer ann" })).status).toBe(200);
  expect((await rig.call("GET", "/events")).status).toBe(401);
  expect(followers.size).toBe(0);
});
