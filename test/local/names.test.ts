/** @module Names that every object inherits are valid names: of agents, routes, stops, branches, fields, keys and ids. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { z } from "zod";
import { agent, contract, route, system } from "../../agents/index.ts";
import { runLocal, startLocal } from "../../testing/index.ts";

const INHERITED = [...Object.getOwnPropertyNames(Object.prototype), "then"];
const NAMES = [...INHERITED.filter((name) => /^[a-z]/.test(name)), "plain", "another"];
const RUNS = 40;
const N = z.object({ n: z.int() });
const A = contract("A", 1, { input: N, output: N });
const same = agent(A, { handle: (input) => input });

/** A mapping from its source text, so that its names can be chosen. */
function mapping<T>(source: string): (scope: unknown) => T {
  return new Function(`return ${source};`)() as (scope: unknown) => T;
}

describe("names that objects inherit", () => {
  test("a stop with such a name is not skipped", async () => {
    const made = route("r", 1, N)
      .to("valueOf", A, ({ task }) => task)
      .output(({ valueOf }) => ({ valueOf }));
    const outcome = await runLocal(system("s", { agents: [same], routes: [made] }), "r", { n: 1 });
    expect([outcome.status, outcome.output]).toEqual(["completed", { valueOf: { n: 1 } }]);
  });

  test("a process may have such a name as id, and does not affect those submitted with it", async () => {
    const made = route("r", 1, N)
      .to("a", A, ({ task }) => task)
      .output(({ a }) => a);
    const local = startLocal(system("s", { agents: [same], routes: [made] }));
    // The index has entries already and is read from its records.
    await Promise.all(Array.from({ length: 200 }, (_, n) => local.run("r", { n }, { id: `warm-${n}` })));
    const ids = [...INHERITED, "plain"];
    const outcomes = await Promise.all(ids.map((id, n) => local.run("r", { n }, { id })));
    expect(outcomes.map(({ id, status, output }) => [id, status, output])).toEqual(ids.map((id, n) => [id, "completed", { n }]));
    await local.stop();
  });

  test("agents, routes, stops, branches, items, fields and session keys may have any of these names", async () => {
    const many = fc.shuffledSubarray(NAMES, { minLength: 5, maxLength: 5 });
    const one = fc.constantFrom(...NAMES);
    const drawn = fc.record({
      stops: many,
      agentName: one,
      routeName: one,
      field: one,
      key: fc.constantFrom(...INHERITED),
      n: fc.integer(),
    });
    await fc.assert(
      fc.asyncProperty(drawn, async ({ stops: [first = "", left = "", right = "", won = "", each = ""], ...names }) => {
        const { agentName, routeName, field, key, n } = names;
        const Keyed = contract(agentName, 1, {
          input: z.object({ [field]: z.string(), n: z.int() }),
          output: N,
          key: mapping<string>(`(input) => input.${field}`),
        });
        const counting = agent(Keyed, {
          state: { schema: z.object({ [field]: z.int().optional() }), initial: {} },
          handle: (input, ctx) => {
            ctx.setState({ [field]: 1 });
            return { n: Number(input["n"]) };
          },
        });
        const inner = mapping<never>(`({ task }) => ({ ${field}: task.${field}, n: task.n })`);
        const made = route(routeName, 1, z.object({ [field]: z.string(), n: z.int(), list: z.array(z.int()) }))
          .to(first, Keyed, inner)
          .all((stop) => ({ [left]: stop(Keyed, inner), [right]: stop(Keyed, inner) }))
          .any(won, (stop) => ({ [left]: stop(Keyed, inner), [right]: stop(Keyed, inner) }))
          .forEach(each, mapping<number[]>("({ task }) => task.list"), (stop) =>
            stop(Keyed, mapping<never>(`({ task, item }) => ({ ${field}: task.${field}, n: item })`)),
          )
          .output(mapping(`({ ${[first, left, right, won, each].join(", ")} }) => [${[first, left, right, won, each].join(", ")}]`));
        const outcome = await runLocal(
          system("s", { agents: [counting], routes: [made] }),
          routeName,
          { [field]: key, n, list: [1, 2] },
          { id: key },
        );
        expect(outcome.fault).toBeUndefined();
        expect(outcome.output).toEqual([{ n }, { n }, { n }, { n }, [{ n: 1 }, { n: 2 }]]);
      }),
      { numRuns: RUNS },
    );
  });

  test("a mapping does not see what a task inherits", async () => {
    const Loose = z.object({ n: z.int(), constructor: z.string().optional() });
    const Takes = contract("Takes", 1, { input: Loose, output: N });
    const given: unknown[] = [];
    const takes = agent(Takes, {
      handle: (input) => {
        given.push(input);
        return { n: input.n };
      },
    });
    const made = route("r", 1, Loose)
      .to("a", Takes, mapping<never>("({ task }) => ({ n: task.n, constructor: task.constructor })"))
      .output(({ a }) => a);
    const served = system("s", { agents: [takes], routes: [made] });
    const tasks: readonly unknown[] = [{ n: 1 }, { n: 1, constructor: "c" }];
    for (const task of tasks) expect((await runLocal(served, "r", task)).status).toBe("completed");
    expect(given).toEqual(tasks);
  });
});
