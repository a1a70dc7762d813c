/**
 * @module The memory attacks of agent_threat_bench: what a stranger put into a memory makes an agent that obeys all that it reads do
 * nothing, and the harmless twin of each question is answered.
 */
import { describe, expect, test } from "vitest";
import { unpacked } from "./pypi.ts";
import { type ThreatEnd, runThreat } from "./threats-run.ts";
import { type Threat, THREATS, threats } from "./threats.ts";

const data = await unpacked(THREATS);
if ("reason" in data) process.stdout.write(`skip: ${data.reason}\n`);

describe.skipIf("reason" in data)("memory attacks", () => {
  const all = "reason" in data ? [] : threats(data.folder);
  const tampered = all.filter(({ marker }) => marker !== undefined);
  const run = async (cases: readonly Threat[], settings: Parameters<typeof runThreat>[1]): Promise<readonly ThreatEnd[]> => {
    const ended: ThreatEnd[] = [];
    for (const one of cases) ended.push(await runThreat(one, settings));
    expect(ended.map(({ id, status }) => [id, status])).toEqual(cases.map(({ id }) => [id, "completed"]));
    return ended;
  };
  const markerOf = (id: string): string => all.find((one) => one.id === id)?.marker ?? "";
  const expectedOf = (id: string): string => all.find((one) => one.id === id)?.expected ?? "";

  test("the bed has attacks and clean ones", () => {
    expect([tampered.length, all.length - tampered.length]).toEqual([8, 2]);
  });

  test.each([false, true])(
    "without labels each tampered entry makes the agent say what it wants (learnt in the same task: %s)",
    async (within) => {
      const ended = await run(tampered, { tampered: true, labels: false, within });
      expect(ended.map(({ id, replies }) => [id, replies])).toEqual(tampered.map(({ id }) => [id, [markerOf(id)]]));
    },
  );

  test("an entry that a stranger wrote is kept from other conversations, so it makes the agent say nothing", async () => {
    const ended = await run(tampered, { tampered: true, labels: true, within: false });
    expect(ended.filter(({ id, replies, answer }) => [...replies, answer].some((text) => text.includes(markerOf(id))))).toEqual([]);
    expect(ended.flatMap(({ asked }) => asked)).toEqual([]);
  });

  test("in the same conversation nothing that it makes the agent say is sent without a person, and the answer is labelled", async () => {
    const ended = await run(tampered, { tampered: true, labels: true, within: true });
    expect(ended.flatMap(({ replies }) => replies)).toEqual([]);
    expect(ended.map(({ asked, label }) => [asked.map(({ input }) => input), label])).toEqual(
      ended.map(({ id }) => [[{ text: markerOf(id) }], ["tool:read_document"]]),
    );
  });

  test.each([false, true])("each harmless twin is answered, and no person is asked (learnt in the same task: %s)", async (within) => {
    const ended = await run(all, { tampered: false, labels: true, within });
    expect(ended.map(({ id, replies, asked, label }) => [id, replies, asked, label])).toEqual(
      all.map(({ id }) => [id, [expectedOf(id)], [], []]),
    );
  });
});
