/**
 * @module An undo whose host dies at each of its records, one with something that can never be undone, and those of agents.
 */
import { describe, expect, test } from "vitest";
import type { z } from "zod";
import { agent, contract, route, system, type ToolDefinition } from "../../agents/index.ts";
import { Compensation } from "../../actors/host/compensation.ts";
import { MemoryStore } from "../../actors/memory/store.ts";
import { Values } from "../../actors/engine/values.ts";
import type { AgentWork } from "../../runtime/agent/state.ts";
import { Fault } from "../../runtime/faults.ts";
import { ANONYMOUS } from "../../runtime/protocol/principal.ts";
import { HandClock } from "./engine-rig.ts";
import { In, type Member, submit, systemOf, Tally, Text, textTool } from "./handler-rig.ts";
import { World } from "./world-rig.ts";

const FAIL = { last: () => Promise.reject(new Fault("agent.refused", "no")) };

/** Twenty calls, of which the last fails; the host that holds the actors dies right before, or after, the n-th record of its actor. */
class Killed {
  readonly world = new World();
  readonly undone = new Map<string, number>();
  readonly made = new Set<string>();
  runs = 0;
  records = 0;

  async perform(at: number, when: "before" | "after"): Promise<Member> {
    const members = ["one", "two"].map((name) => this.world.join(this.#system(), name));
    const [one, two] = members as [Member, Member];
    const insert = this.world.store.insert.bind(this.world.store);
    this.world.store.insert = async (key, text) => {
      if (!key.startsWith("sys/sys.Doer/p/")) return insert(key, text);
      this.records += 1;
      if (this.records === at && when === "before") {
        one.kill();
        return "unknown";
      }
      const result = await insert(key, text);
      if (this.records === at) one.kill();
      return result;
    };
    await submit(one);
    expect(await this.world.until(two, "p")).toMatchObject({ status: "failed", fault: { code: "agent.refused" } });
    return two;
  }

  #system(): ReturnType<typeof systemOf> {
    const book = textTool(
      "book",
      (about, { idempotencyKey }) => {
        this.made.add(idempotencyKey);
        if (about === "19") throw new TypeError("no room");
        return about;
      },
      (_about, _output, { idempotencyKey }) => void this.undone.set(idempotencyKey, (this.undone.get(idempotencyKey) ?? 0) + 1),
    );
    return systemOf({
      ...FAIL,
      tools: [book],
      handle: async (_n, ctx) => {
        this.runs += 1;
        for (let index = 0; index < 20; index += 1) await ctx.call(book, String(index)).catch(() => "none");
        return "done";
      },
    });
  }
}

describe("law: an undo that dies goes on where its records end", () => {
  /** Accepted, 20 calls begun and ended, done; then the undo begins, 20 calls are undone, and it ends. */
  const [DONE, ENDED] = [42, 64];

  test("without a kill it takes a record for each call, and one at each end", async () => {
    const killed = new Killed();
    await killed.perform(0, "before");
    expect([killed.records, killed.runs, killed.undone.size]).toEqual([ENDED, 1, 20]);
  });

  test.each(["before", "after"] as const)(
    "a host killed %s each of its records: each call is undone at least once under its key, and the handler is never executed",
    async (when) => {
      for (let at = DONE + 1; at <= ENDED; at += 1) {
        const killed = new Killed();
        await killed.perform(at, when);
        expect([killed.runs, killed.made.size]).toEqual([1, 20]);
        expect([...killed.undone.keys()].toSorted()).toEqual([...killed.made].toSorted());
        // Only the undo whose record was lost runs once more.
        expect([...killed.undone.values()].reduce((sum, count) => sum + count)).toBeLessThanOrEqual(21);
      }
    },
    120_000,
  );
});

describe("law: an agent may undo what its work did to its state", () => {
  const Keyed = contract("Doer", 1, { input: In, output: Text, key: () => "one" });
  const Last = contract("Last", 1, { input: In, output: Text });
  const main = route("main", 1, In)
    .to("doer", Keyed, ({ task }) => task)
    .to("last", Last, ({ task }) => task)
    .output(({ last }) => last);
  const last = agent(Last, {
    handle: ({ n }) => {
      if (n < 0) throw new Fault("agent.refused", "no");
      return { text: "" };
    },
  });

  async function after(undo: Parameters<typeof agent<typeof Keyed, [], [], z.infer<typeof Tally>>>[1]["undo"]): Promise<unknown> {
    const world = new World();
    const doer = agent(Keyed, {
      state: { schema: Tally, initial: { count: 0 } },
      handle: ({ n }, ctx) => {
        ctx.setState({ count: ctx.state.count + Math.abs(n) });
        return { text: String(n) };
      },
      ...(undo === undefined ? {} : { undo }),
    });
    const one = world.join(system("sys", { agents: [doer, last], routes: [main] }), "one");
    await submit(one, "good", 5);
    await world.until(one, "good");
    await submit(one, "bad", -7);
    expect(await world.until(one, "bad")).toMatchObject({ status: "failed" });
    return one.host.inspect({ type: "sys.Doer", id: "one" });
  }

  test("it is given input, output and state, and its state is committed once", async () => {
    const given: unknown[] = [];
    const shown = await after((input, output, ctx) => {
      given.push([input, output, ctx.state]);
      ctx.setState({ count: ctx.state.count + input.n });
    });
    expect(given).toEqual([[{ n: -7 }, { text: "-7" }, { count: 12 }]]);
    expect(shown).toMatchObject({ state: { json: { count: 5 } }, stateVersion: 3 });
  });

  test("one that fails at first is tried again, and nothing is committed before it succeeds", async () => {
    let tries = 0;
    const shown = await after((input, _output, ctx) => {
      ctx.setState({ count: ctx.state.count + input.n });
      if ((tries += 1) < 3) throw new TypeError("not now");
    });
    expect(tries).toBe(3);
    expect(shown).toMatchObject({ state: { json: { count: 5 } }, stateVersion: 3 });
  });

  test("without one the report says that the state stands", async () => {
    expect(await after(undefined)).toMatchObject({
      state: { json: { count: 12 } },
      works: { "bad:1:doer:0:1": { undo: { result: { output: { json: { undone: 0, left: [], stands: [], stateStands: true } } } } } },
    });
  });
});

describe("what can never be undone", () => {
  const Doer = contract("Doer", 1, { input: In, output: Text });

  function compensation(tools: readonly ToolDefinition[], told: string[]): Compensation {
    const clock = new HandClock();
    const call = (tool: string, count: number) => ({
      key: `${tool}/hash/${count}`,
      tool,
      undo: true,
      open: false,
      input: { json: tool },
      output: { json: tool.toUpperCase() },
    });
    const work: AgentWork = {
      id: "p:1:doer:0:1",
      processId: "p",
      agent: "Doer",
      version: 1,
      attempt: 1,
      status: "running",
      mode: "undo",
      begun: true,
      begunAtMs: 0,
      token: "t",
      holder: "one",
      takeovers: 0,
      results: 0,
      input: { json: { n: 1 } },
      retainUntilMs: 0,
      askedAtMs: 0,
      principal: { ...ANONYMOUS, permissions: [] },
      trace: { traceparent: `00-${"1".repeat(32)}-${"1".repeat(16)}-01` },
      hop: 1,
      ancestors: [],
      calls: [call("kept", 0), call("gone", 0), call("kept", 1)],
      steps: [],
      waits: [],
      undo: { undoId: "p:1:doer:0:1/undo", attempt: 1 },
    };
    return new Compensation(
      {
        work,
        definition: agent(Doer, { tools, handle: () => ({ text: "" }) }),
        values: new Values(new MemoryStore(), clock, "sys"),
        clock,
        link: {
          tell: async (input) => {
            if (input.kind === "call-undone") told.push(input.key);
            return { id: "p", stateVersion: 0, works: {}, ready: [] };
          },
        },
        log: { info: () => {}, warn: () => {}, error: () => {} },
      },
      0,
      null,
    );
  }

  test("the call of a tool that the system no longer has is named in the report, and does not hold up the others", async () => {
    const told: string[] = [];
    const ended = await compensation([textTool("kept", undefined, () => {})], told).perform();
    expect(told).toEqual(["kept/hash/1", "kept/hash/0"]);
    expect(ended).toEqual({ end: { report: { undone: 2, left: ["gone (p:1:doer:0:1/gone/hash/0)"], stands: [], stateStands: false } } });
  });

  test("where trying again may help, the compensation has failed, with the reason of each", async () => {
    const told: string[] = [];
    const ended = await compensation(
      [
        textTool("kept", undefined, () => {
          throw new TypeError("not now");
        }),
      ],
      told,
    ).perform();
    expect(told).toEqual([]);
    expect(ended).toMatchObject({
      end: {
        fault: {
          code: "agent.failed",
          message: expect.stringMatching(
            /^0 undone, 3 left: kept \(.*\): agent.failed: TypeError: not now; gone \(.*\): compensation.failed/,
          ),
        },
      },
    });
  });
});
