/** @module Operations: bad input is refused and changes nothing; bounds, waiting for an outcome, cancelling, and the dead letter queue. */
import { createHash } from "node:crypto";
import { describe, expect, test } from "vitest";
import type { Json } from "../../runtime/faults.ts";
import { LIMITS } from "../../runtime/limits.ts";
import { flush } from "./engine-rig.ts";
import { CALLER, gate, World } from "./world-rig.ts";
import { systemOf } from "./slow-rig.ts";

describe("operations: bad input gets a clear error and changes nothing", () => {
  const world = (): { readonly world: World; readonly one: ReturnType<World["join"]> } => {
    const made = new World();
    return {
      world: made,
      one: made.join(
        systemOf("one", () => gate<string>().promise),
        "one",
        2,
      ),
    };
  };

  test.each<[string, { readonly id?: string; readonly route: string; readonly input: unknown; readonly timeoutMs?: number }, string]>([
    ["unknown route", { id: "p", route: "nope", input: { n: 1 } }, "route.unknown"],
    ["an input that does not fit", { id: "p", route: "main", input: { n: "1" } }, "schema.task"],
    ["an unknown key", { id: "p", route: "main", input: { n: 1, extra: 1 } }, "schema.task"],
    ["an id that is none", { id: "a/b", route: "main", input: { n: 1 } }, "id.invalid"],
    ["no time", { id: "p", route: "main", input: { n: 1 }, timeoutMs: 0 }, "body.invalid"],
    ["too much time", { id: "p", route: "main", input: { n: 1 }, timeoutMs: LIMITS.taskTimeoutMsMax + 1 }, "body.invalid"],
  ])("%s", async (_what, submission, code) => {
    const { world: made, one } = world();
    await expect(one.operations.submit(submission, CALLER, 0)).rejects.toMatchObject({ code });
    expect(made.store.keys("sys/sys.")).toEqual([]);
    expect(made.reminders.size).toBe(0);
  });

  test("the same id and input is the same process; another input is a conflict", async () => {
    const { one } = world();
    const first = await one.operations.submit({ id: "p", route: "main", input: { n: 1 } }, CALLER, 0);
    const again = await one.operations.submit({ id: "p", route: "main", input: { n: 1 } }, CALLER, 0);
    expect(again.receipt).toMatchObject({ id: "p", traceId: first.receipt.traceId });
    await expect(one.operations.submit({ id: "p", route: "main", input: { n: 2 } }, CALLER, 0)).rejects.toMatchObject({
      code: "process.conflict",
    });
  });

  test("above the bound of open processes a task is refused, retryable, with nothing recorded; also in a burst", async () => {
    const { world: made, one } = world();
    const burst = await Promise.allSettled(
      Array.from({ length: 10 }, (_, n) => one.operations.submit({ id: `p${n}`, route: "main", input: { n } }, CALLER, 0)),
    );
    expect(burst.filter(({ status }) => status === "fulfilled")).toHaveLength(2);
    for (const one of burst) if (one.status === "rejected") expect(one.reason).toMatchObject({ code: "system.overloaded" });
    expect(new Set(made.store.keys("sys/sys.ProcessManager/").map((key) => key.split("/")[2])).size).toBe(2);
    await expect(one.operations.submit({ id: "p0", route: "main", input: { n: 0 } }, CALLER, 0)).resolves.toMatchObject({
      receipt: { id: "p0" },
    });
  });

  test("an unknown process is process.unknown; an ended one cannot be cancelled", async () => {
    const made = new World();
    const one = made.join(
      systemOf("one", async (name) => name),
      "one",
    );
    await expect(one.operations.process("none")).rejects.toMatchObject({ code: "process.unknown" });
    await expect(one.operations.cancel("none", "x", CALLER)).rejects.toMatchObject({ code: "process.unknown" });
    await one.operations.submit({ id: "p", route: "main", input: { n: 1 } }, CALLER, 0);
    await made.until(one, "p");
    await expect(one.operations.cancel("p", "x", CALLER)).rejects.toMatchObject({ code: "process.ended" });
  });

  test("waiting returns the outcome as soon as it exists, and only the receipt when time is up first", async () => {
    const made = new World();
    const result = gate<string>();
    const one = made.join(
      systemOf("one", () => result.promise),
      "one",
    );
    const short = one.operations.submit({ id: "p", route: "main", input: { n: 1 } }, CALLER, 1_000);
    await made.clock.advance(1_500);
    expect((await short).outcome).toBeUndefined();
    const long = one.operations.submit({ id: "p", route: "main", input: { n: 1 } }, CALLER, 60_000);
    await flush();
    result.open("now");
    await flush();
    expect((await long).outcome).toMatchObject({ status: "completed", output: { by: "now" } });
    expect(made.clock.nowMs()).toBe(1_001_500);
  });

  test("a cancelled process ends cancelled, also when its handler hangs forever, and leaves no reminder", async () => {
    const { world: made, one } = world();
    await one.operations.submit({ id: "p", route: "main", input: { n: 1 } }, CALLER, 0);
    await flush();
    expect(await one.operations.cancel("p", "enough", CALLER)).toMatchObject({ id: "p", route: "main" });
    expect(await made.until(one, "p", LIMITS.stopGraceMs + 4 * LIMITS.askAgainMs)).toMatchObject({ status: "cancelled" });
    await made.clock.advance(10_000);
    expect(made.reminders.size).toBe(0);
    expect(one.host.running).toBe(0);
  });

  test("dead letters are listed newest first, page by page", async () => {
    const made = new World();
    const one = made.join(
      systemOf("one", () => Promise.reject(new TypeError("broken"))),
      "one",
    );
    for (const n of [1, 2, 3]) {
      await one.operations.submit({ id: `p${n}`, route: "main", input: { n } }, CALLER, 0);
      await made.until(one, `p${n}`, 900_000);
    }
    await made.clock.advance(10_000);
    const first = await one.operations.deadLetters({}, undefined, 2);
    const second = await one.operations.deadLetters({}, first.cursor, 2);
    expect([...first.entries, ...second.entries].map((entry) => (entry as { readonly id: Json }).id)).toEqual(["p3:1", "p2:1", "p1:1"]);
    expect(first.entries[0]).toMatchObject({ open: true, code: "agent.failed" });
    expect(await one.operations.deadLetter("p3:1")).toMatchObject({
      code: "agent.failed",
      letter: { processId: "p3", original: { kind: "do" } },
    });
    await expect(one.operations.deadLetters({}, "x/y", 2)).rejects.toMatchObject({ code: "body.invalid" });
  });

  test("an invalid message without a process is in the dead letter queue once, for any number of redeliveries", async () => {
    const made = world();
    const { one } = made;
    const lines = async (topic: string): Promise<readonly Json[]> =>
      (await one.operations.deadLetters({}, undefined, 50)).entries.filter((entry) => (entry as { readonly topic: Json }).topic === topic);
    const fault = { code: "message.invalid", message: "no JSON" } as const;
    const publishedAtMs = made.world.clock.nowMs() - 1_000;
    const [binary, large] = [Uint8Array.of(0, 255, 10), Buffer.alloc(LIMITS.invalidBytesMax + 5, "ab")];
    for (const afterMs of [0, 0, LIMITS.indexBucketMs, LIMITS.indexBucketMs]) {
      await made.world.clock.advance(afterMs);
      await one.operations.invalid({ bytes: Buffer.from("{"), size: 1, publishedAtMs }, fault, "sys.tasks");
      // What tells no moment is found in the slice before.
      if (afterMs === 0)
        for (const bytes of [binary, large]) await one.operations.invalid({ bytes, size: bytes.length }, fault, "sys.agent.A");
    }
    await one.operations.invalid({ bytes: Buffer.from("{"), size: 1, publishedAtMs }, fault, "sys.manager");
    expect([await lines("sys.tasks"), await lines("sys.manager"), await lines("sys.agent.A")].map(({ length }) => length)).toEqual([
      1, 1, 2,
    ]);
    const [task] = await lines("sys.tasks");
    expect(task).toMatchObject({ topic: "sys.tasks", code: "message.invalid", open: true });
    const letters = await Promise.all(
      [...(await lines("sys.tasks")), ...(await lines("sys.agent.A"))].map((entry) =>
        one.operations.deadLetter((entry as { readonly id: string }).id),
      ),
    );
    const sorted = letters
      .map((letter) => (letter as { readonly letter: { readonly [key: string]: Json } }).letter)
      .sort((a, b) => Number(a["size"]) - Number(b["size"]));
    expect(sorted).toMatchObject([
      { bytes: "{", encoding: "utf8", size: 1, cut: false },
      { bytes: Buffer.from(binary).toString("base64"), encoding: "base64", size: 3, cut: false },
      {
        bytes: large.toString("utf8", 0, LIMITS.invalidBytesMax),
        encoding: "utf8",
        size: large.length,
        sha256: createHash("sha256").update(large).digest("hex"),
        cut: true,
      },
    ]);
  });
});
