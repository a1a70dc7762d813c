/** @module A store that lost records under a living host: one broken actor stops alone, is named, and can be set aside. */
import { beforeEach, describe, expect, test } from "vitest";
import { Retention } from "../../actors/retention/retention.ts";
import { SILENT } from "../../actors/engine/log.ts";
import { recover } from "../../actors/host/recovery.ts";
import { bucketOf, entriesOf, INDEX_ROOT } from "../../runtime/index-actor.ts";
import { LIMITS } from "../../runtime/limits.ts";
import { flush } from "./engine-rig.ts";
import { CALLER, World } from "./world-rig.ts";
import { systemOf } from "./slow-rig.ts";

type Member = ReturnType<World["join"]>;

let world: World;
let one: Member;
beforeEach(() => {
  world = new World();
  one = world.join(
    systemOf("one", async () => "done"),
    "one",
  );
});

const keyOf = (actor: string, sequence: number): string => `sys/sys.${actor}/${sequence}`;
const bucket = (part = 0): string => bucketOf(world.clock.nowMs(), part);

async function submit(id: string, member = one): Promise<void> {
  await member.operations.submit({ id, route: "main", input: { n: 1 } }, CALLER, 0);
  await world.until(member, id);
  await world.clock.advance(LIMITS.indexLingerMs);
  await flush();
}

/** The host appended records after the store had lost one, and another host holds the actors now. */
async function lose(actor: string, sequence: number): Promise<Member> {
  world.store.drop(keyOf(actor, sequence));
  one.kill();
  return world.join(
    systemOf("one", async () => "done"),
    `next-${world.members.length}`,
  );
}

describe("a broken bucket", () => {
  test("tasks are accepted: the index goes on in the next bucket, and a listing says what is missing", async () => {
    for (const id of ["a", "b", "c"]) await submit(id);
    const next = await lose(`Directory/${bucket()}`, 3);
    await submit("d", next);
    expect(await next.operations.processes({}, undefined, 10)).toMatchObject({ entries: [{ id: "d" }], broken: [bucket()] });
    const name = `Directory/${bucket()}`;
    expect(await next.operations.broken()).toMatchObject({ entries: [{ actor: name, code: "journal.broken-chain" }] });
  });

  test("an open process of it ends, and its entry stands in the next bucket; other hosts recover the rest", async () => {
    await submit("a");
    let open: (value: string) => void = () => {};
    const waiting = world.join(
      systemOf("one", () => new Promise<string>((resolve) => (open = resolve))),
      "waiting",
    );
    one.kill();
    await waiting.operations.submit({ id: "slow", route: "main", input: { n: 1 } }, CALLER, 0);
    await flush();
    world.store.drop(keyOf(`Directory/${bucket()}`, 2));
    waiting.host.indexEngine("Directory").forget(bucket());
    open("done");
    await world.until(waiting, "slow");
    await world.clock.advance(LIMITS.indexLingerMs);
    await flush();
    expect(await waiting.operations.processes({}, undefined, 10)).toMatchObject({ entries: [{ id: "slow", open: false }] });
    const parts = { system: "sys", ports: world.portsOf(waiting, "recovery"), directory: waiting.host.directory, log: SILENT };
    expect(await recover({ ...parts, stopped: () => false })).toBe(0);
  });

  test("it is set aside with every entry that can be read; the act is in the audit", async () => {
    for (const id of ["a", "b", "c"]) await submit(id);
    const next = await lose(`Directory/${bucket()}`, 3);
    await submit("d", next);
    const actor = `Directory/${bucket()}`;
    await next.operations.setAside(actor, { reason: "power cut" }, CALLER);
    await submit("e", next);
    const { entries, broken } = await next.operations.processes({}, undefined, 10);
    expect(entries.map((entry) => (entry as { readonly id: string }).id)).toEqual(expect.arrayContaining(["a", "c", "d", "e"]));
    expect(broken).toBeUndefined();
    expect(await next.operations.broken()).toEqual({ entries: [] });
    expect(await next.operations.audit(undefined, 10)).toMatchObject({
      entries: [{ what: "set-aside", target: actor, why: "power cut", who: "anonymous" }],
    });
    await expect(next.operations.setAside(actor, { reason: "again" }, CALLER)).rejects.toMatchObject({ code: "journal.intact" });
  });

  test("a host that still remembers it appends nothing after it was set aside", async () => {
    for (const id of ["a", "b"]) await submit(id);
    const engine = one.host.indexEngine("Directory");
    world.store.drop(keyOf(`Directory/${bucket()}`, 2));
    const other = world.join(
      systemOf("one", async () => "done"),
      "other",
    );
    await other.operations.setAside(`Directory/${bucket()}`, { reason: "r" }, CALLER);
    const { sequence } = await engine.turn(bucket(), { kind: "remove", ids: ["a"], drop: false }, { inputId: "late" });
    const { state } = await other.host.indexEngine("Directory").fresh(bucket());
    expect(entriesOf(state).map(({ id }) => id)).toEqual(["b"]);
    expect(await other.host.indexEngine("Directory").fresh(bucket())).toMatchObject({ sequence });
  });

  test("retention passes over it: what ended is purged once it is set aside, and other buckets at once", async () => {
    for (const id of ["a", "b", "c"]) await submit(id);
    const name = bucket();
    await world.clock.advance(LIMITS.indexBucketMs);
    await submit("later");
    const next = await lose(`Directory/${name}`, 3);
    const ports = world.portsOf(next, "sweep");
    const retention = new Retention({ system: "sys", host: next.host, ports, log: SILENT });
    await world.clock.advance(LIMITS.retentionMsDefault + 2 * LIMITS.indexBucketMs);
    expect(await retention.sweepWhole()).toMatchObject({ purged: 1 });
    await next.operations.setAside(`Directory/${name}`, { reason: "r" }, CALLER);
    expect(await retention.sweepWhole()).toMatchObject({ purged: 3 });
  });
});

test("a broken root begins anew by itself: listings stay whole but for what was lost", async () => {
  await submit("a");
  await world.clock.advance(LIMITS.indexBucketMs);
  await submit("b");
  await world.clock.advance(LIMITS.indexBucketMs);
  await submit("c");
  const next = await lose(`Directory/${INDEX_ROOT}`, 2);
  const { entries } = await next.operations.processes({}, undefined, 10);
  expect(entries).toMatchObject([{ id: "c" }, { id: "a" }]);
  await submit("d", next);
  expect((await next.operations.processes({}, undefined, 10)).entries).toHaveLength(3);
});

test("a broken process is named, stops alone, and goes on from before the break only with the loss accepted", async () => {
  await submit("a");
  const next = await lose("ProcessManager/b", 9);
  world.store.corrupt(keyOf("ProcessManager/a", 2), '{"v":1}');
  await expect(next.operations.process("a")).rejects.toMatchObject({ code: "journal.unreadable" });
  await submit("b", next);
  expect(await next.operations.broken()).toMatchObject({ entries: [{ actor: "ProcessManager/a" }] });
  await expect(next.operations.setAside("ProcessManager/a", { reason: "r" }, CALLER)).rejects.toMatchObject({ code: "journal.loss" });
  await next.operations.setAside("ProcessManager/a", { reason: "r", acceptLoss: true }, CALLER);
  expect(await next.operations.broken()).toEqual({ entries: [] });
  await next.host.nudge({ type: "sys.ProcessManager", id: "a" }, undefined);
  expect(await world.until(next, "a")).toMatchObject({ status: "completed" });
  await expect(next.operations.setAside("Unknown/a", { reason: "r" }, CALLER)).rejects.toMatchObject({ code: "agent.unknown" });
});
