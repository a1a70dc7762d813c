/** @module A keyed agent that does many works over days: what its journal keeps is bounded. TROUPE_TEST_WORKS sets another count. */
import { expect, test } from "vitest";
import { MemoryStore } from "../../actors/memory/store.ts";
import type { Ports } from "../../actors/engine/ports.ts";
import { TurnEngine } from "../../actors/engine/turn.ts";
import { Values } from "../../actors/engine/values.ts";
import { agentMachine } from "../../runtime/agent/machine.ts";
import { entryOf } from "../../runtime/entries.ts";
import { AgentRig } from "../runtime/agent-rig.ts";
import { countedRandom } from "./engine-rig.ts";

const WORKS = Number(process.env["TROUPE_TEST_WORKS"] ?? 8_000);
const WORK_MS = 2_000;
/** Keys of the records and snapshots of the agent. */
const JOURNAL = "sys/sys.A/key/";
const MEBIBYTE = 1_048_576;
const BYTES_MAX = 20 * MEBIBYTE;
const LEFT_SHARE_MAX = 0.9;
const TEST_MS = 900_000;

test("the bytes of a keyed agent's journal do not grow with its works", { timeout: TEST_MS }, async () => {
  const store = new MemoryStore();
  let nowMs = 1_000_000;
  const clock = { nowMs: () => nowMs, after: () => () => {} };
  const unused = (): never => {
    throw new Error("no engine calls this");
  };
  const ports: Ports = {
    store,
    reminders: { set: unused, remove: unused },
    transport: { publish: unused, deliver: unused, heartbeat: unused, inspect: unused, nudge: unused, notification: unused },
    clock,
    random: countedRandom("r"),
  };
  let count = 0;
  const writer = { incarnation: "host", nextCount: () => (count += 1) };
  const values = new Values(store, clock, "sys");
  const engine = new TurnEngine({ type: "sys.A", machine: agentMachine, system: "sys", ports, values, writer, trims: true });
  const rig = new AgentRig();
  for (let work = 1; work <= WORKS; work += 1) {
    nowMs += WORK_MS;
    const workId = `p${work}:1:a:0:1`;
    const retainUntilMs = clock.nowMs() + WORK_MS;
    const body = {
      kind: "work",
      workId,
      attempt: 1,
      agent: "A",
      version: 1,
      input: { json: { n: work } },
      retainUntilMs,
      ancestors: [],
    } as const;
    const message = {
      ...rig.message(`${workId}:1`, { ...body, ancestors: [] }, retainUntilMs),
      processId: `p${work}`,
      createdAtMs: clock.nowMs(),
    };
    const asked = await engine.turn("key", { kind: "message", message }, { inputId: message.id });
    const token = entryOf(asked.state.works, workId)?.token ?? "";
    const state = { content: { count: work }, base: work - 1 };
    const done = await engine.turn("key", { kind: "finished", workId, token, result: { output: "done" }, state }, { inputId: "finished" });
    expect(done.state.state).toEqual({ json: { count: work } });
  }
  await engine.trims?.idle();
  // What it remembers of settled work items lies beside its journal, and goes with their processes.
  const [bytes, keys] = [store.bytes(JOURNAL), store.keys(JOURNAL).length];
  process.stdout.write(`keyed journal: ${WORKS} works, ${bytes} bytes, ${keys} keys; all in all ${store.bytes()} bytes\n`);
  expect(bytes).toBeLessThan(BYTES_MAX);
  expect(keys, "two records of each work, without trimming").toBeLessThan(2 * WORKS * LEFT_SHARE_MAX);
});
