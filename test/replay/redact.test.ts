/** @module A redacted cassette: no content of any kind stands in it, and it is still a cassette with any names that a user chose. */
import { expect, onTestFinished, test } from "vitest";
import { z } from "zod";
import { agent } from "../../agents/agent.ts";
import { contract } from "../../agents/contract.ts";
import { route } from "../../agents/route.ts";
import { system } from "../../agents/system.ts";
import { Cassette } from "../../runtime/cassette/cassette.ts";
import { redacted } from "../../runtime/cassette/redact.ts";
import { Fault } from "../../runtime/faults.ts";
import { startLocal } from "../../testing/index.ts";

const Patient = z.object({ name: z.string(), pregnant: z.boolean(), notes: z.record(z.string(), z.int()) });
const SEEN_COUNT = 41_424_344;
const NOTE_COUNT = 7_778_779_780;
/** Names that mean something in records. */
const NAMES = ["message", "reason", "cause", "json", "details", "reasons", "actor", "scope", "chain", "ancestors", "outputs"] as const;

const Ward = contract("Ward", 1, { input: Patient, output: Patient, key: ({ name }) => name });
const Porter = contract("Porter", 1, { input: Patient, output: Patient });
const porter = agent(Porter, {
  handle: (patient) => {
    if (patient.notes["fails"] !== undefined) throw new Fault("agent.refused", `no bed for ${patient.name}`, { name: patient.name });
    return patient;
  },
});
const ward = agent(Ward, {
  asks: [Porter],
  state: { schema: z.object({ seen: z.int() }), initial: { seen: 0 } },
  handle: async (patient, ctx) => {
    ctx.setState({ seen: ctx.state.seen + SEEN_COUNT });
    return ctx.ask(Porter, patient);
  },
});
const stay = NAMES.reduce(
  (made, name) => made.to(name, Ward, ({ task }) => task) as unknown as typeof made,
  route("stay", 1, Patient),
).output(({ task }) => task);

test("holds no text, number, truth or key of a content, with stops of any name", async () => {
  const local = startLocal(system("clinic", { agents: [ward, porter], routes: [stay] }));
  onTestFinished(() => local.stop());
  for (const [id, notes] of [
    ["one", { "ann@x.example": NOTE_COUNT }],
    ["two", { "ann@x.example": NOTE_COUNT, fails: 1 }],
  ] as const) {
    await local.run("stay", { name: "ann-smith", pregnant: true, notes }, { id });
    const cassette = await local.cassette(id);
    expect(JSON.stringify(cassette)).toContain("ann-smith");
    const hidden = redacted(cassette);
    const text = JSON.stringify(hidden);
    for (const content of ["ann-smith", "ann@", String(NOTE_COUNT), '"pregnant":true', "no bed", String(SEEN_COUNT)])
      expect([id, content, text.includes(content)]).toEqual([id, content, false]);
    expect(Cassette.safeParse(JSON.parse(text)).error).toBeUndefined();
    const [process] = hidden.processes;
    expect(new Set(process?.works.map(({ agent, actor }) => `${agent} ${actor}`)).has("Ward hidden-1")).toBe(true);
  }
});
