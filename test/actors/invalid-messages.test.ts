/** @module Invalid messages in the dead letter queue: how they are stored, redriven as a corrected task, and discarded. */
import { describe, expect, test } from "vitest";
import type { Operations } from "../../actors/operations/operations.ts";
import { LIMITS } from "../../runtime/limits.ts";
import { ADA, ids, made } from "./dead-letters-rig.ts";
import { flush } from "./engine-rig.ts";

describe("an invalid message", () => {
  const bytes = (text: string | Buffer): { readonly bytes: Buffer; readonly size: number } => ({
    bytes: Buffer.from(text),
    size: Buffer.from(text).length,
  });
  const fault = { code: "message.invalid", message: "no JSON" } as const;
  const letter = async (operations: Operations): Promise<string> => ids(await operations.deadLetters({}, undefined, 10))[0] as string;

  test("is in the dead letter queue with its bytes: text as text, others in base64, above the limit only the beginning", async () => {
    const one = made().join("one");
    const binary = Buffer.from([0, 1, 2, 0xff, 0xfe]);
    const large = Buffer.alloc(LIMITS.invalidBytesMax + 10, "é");
    for (const [topic, body] of [
      ["text", "{ n: 1"],
      ["binary", binary],
      ["empty", ""],
      ["large", large],
      ["mark", "\uFEFF{}"],
      ["escapes", Buffer.alloc(1_000, 1)],
    ] as const)
      await one.operations.invalid(bytes(body), fault, topic);
    const { entries } = await one.operations.deadLetters({}, undefined, 10);
    const shown = await Promise.all(
      entries.map(
        async (entry) =>
          (await one.operations.deadLetter((entry as { readonly id: string }).id)) as {
            readonly topic: string;
            readonly letter: {
              readonly bytes: string;
              readonly encoding: "utf8" | "base64";
              readonly size: number;
              readonly cut: boolean;
              readonly sha256: string;
            };
          },
      ),
    );
    const of = (topic: string): (typeof shown)[number]["letter"] =>
      shown.find((one_) => one_.topic === topic)?.letter ?? expect.fail(topic);
    expect(of("text")).toMatchObject({ bytes: "{ n: 1", encoding: "utf8", size: 6, cut: false });
    expect(Buffer.from(of("binary").bytes, "base64")).toEqual(binary);
    expect(of("empty")).toMatchObject({ bytes: "", size: 0, cut: false });
    expect(of("large")).toMatchObject({ size: large.length, cut: true });
    expect(Buffer.from(of("large").bytes, of("large").encoding)).toEqual(large.subarray(0, LIMITS.invalidBytesMax));
    expect(Buffer.from(of("mark").bytes, of("mark").encoding)).toEqual(Buffer.from("\uFEFF{}"));
    expect(of("escapes")).toMatchObject({ encoding: "base64" });
  });

  test("is redriven once, as the corrected task", async () => {
    const { world, join, behaviour } = made();
    behaviour.second = () => "two";
    const one = join("one");
    await one.operations.invalid(bytes("{"), fault, "sys.tasks");
    const id = await letter(one.operations);
    await expect(one.operations.redrive(id, {}, ADA)).rejects.toThrow(/whole corrected task/);
    for (const [input, code] of [
      [{ route: "main" }, "body.invalid"],
      [{ route: "main", input: { n: 1 }, more: 1 }, "body.invalid"],
      [{ route: "none", input: 1 }, "route.unknown"],
      [{ route: "main", input: { n: "x" } }, "schema.task"],
    ] as const) {
      await expect(one.operations.redrive(id, { input }, ADA)).rejects.toMatchObject({ code });
    }
    const input = { route: "main", input: { n: 1 } };
    const receipt = await one.operations.redrive(id, { input, reason: "it was cut off" }, ADA);
    expect(await world.until(one, receipt.id)).toMatchObject({ status: "completed" });
    expect(await one.operations.redrive(id, { input, reason: "it was cut off" }, ADA)).toEqual(receipt);
    await expect(one.operations.redrive(id, { input: { ...input, id: "other" } }, ADA)).rejects.toMatchObject({
      code: "deadletter.decided",
    });
    expect((await one.operations.deadLetters({ decided: true }, undefined, 10)).entries).toMatchObject([
      { id, decision: "redriven", by: "ada", reason: "it was cut off", taskId: receipt.id },
    ]);
    expect((await one.operations.audit(undefined, 10)).entries).toMatchObject([{ who: "ada", what: "redrive", target: id }]);
  });

  test("whose redrive is interrupted still waits, for the same decision: another one is refused", async () => {
    const { world, join, behaviour } = made();
    behaviour.second = () => "two";
    const one = join("one");
    await one.operations.invalid(bytes("{"), fault, "sys.tasks");
    const id = await letter(one.operations);
    const input = { route: "main", input: { n: 1 } };
    const record = world.store.insert.bind(world.store);
    world.store.insert = async (key, text) => {
      const result = await record(key, text);
      if (key.includes("DeadLetterQueue") && text.includes('"decisionId"')) one.kill();
      return result;
    };
    void one.operations.redrive(id, { input }, ADA);
    await flush();
    world.store.insert = record;
    const two = join("two");
    expect(await letter(two.operations)).toBe(id);
    await expect(two.operations.discard(id, "no", ADA)).rejects.toMatchObject({ code: "deadletter.decided" });
    const receipt = await two.operations.redrive(id, { input }, ADA);
    expect(await world.until(two, receipt.id)).toMatchObject({ status: "completed" });
    expect(ids(await two.operations.deadLetters({}, undefined, 10))).toEqual([]);
  });

  test("is discarded with a reason, once", async () => {
    const one = made().join("one");
    await one.operations.invalid(bytes("{"), fault, "sys.tasks");
    const id = await letter(one.operations);
    expect(await one.operations.discard(id, "noise", ADA)).toMatchObject({ id, open: false, decision: "discarded", reason: "noise" });
    expect(await one.operations.discard(id, "noise", ADA)).toMatchObject({ open: false });
    await expect(one.operations.redrive(id, { input: { route: "main", input: { n: 1 } } }, ADA)).rejects.toMatchObject({
      code: "deadletter.decided",
    });
    // The same bytes again are the same dead letter: a broker's redelivery needs no second decision.
    await one.operations.invalid(bytes("{"), fault, "sys.tasks");
    expect(ids(await one.operations.deadLetters({}, undefined, 10))).toEqual([]);
  });
});
