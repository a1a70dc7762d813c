/** @module The static cycle guard. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { findUnboundedRing, graphData, graphOf, graphText, mermaid, ringText } from "../../runtime/graph.ts";
import { type AgentData, type Doer, RETRY_DEFAULT, type RouteData, type Slip } from "../../runtime/slip.ts";

import { one, slipOf } from "./process-rig.ts";

type Links = Readonly<
  Record<string, { readonly asks?: readonly string[]; readonly handsOffTo?: readonly string[]; readonly visitsMax?: number }>
>;

function agents(links: Links): Readonly<Record<string, AgentData>> {
  return Object.fromEntries(Object.entries(links).map(([name, link]) => [name, { version: 1, asks: [], handsOffTo: [], ...link }]));
}

function routeTo(to: { readonly agent: string } | { readonly route: string }, visitsMax?: number): RouteData {
  const target: Doer = "agent" in to ? { kind: "agent", ...to } : { kind: "route", ...to };
  const call = { target, input: { from: ["task"] }, timeoutMs: 1_000, retry: RETRY_DEFAULT, optional: false };
  return { version: 1, stops: [{ kind: "one", name: "only", call }], output: { from: ["only"] }, visitsMax };
}

function slip(links: Links, routes: Readonly<Record<string, RouteData>> = {}): Slip {
  return { v: 1, system: "test", routes, agents: agents(links) };
}

function printed(data: Slip): string | undefined {
  const ring = findUnboundedRing(data);
  return ring === undefined ? undefined : ringText(ring);
}

describe("a ring without a bound is found and named", () => {
  test("asks and hand-offs", () => {
    expect(printed(slip({ A: { asks: ["B"] }, B: { handsOffTo: ["C"] }, C: { asks: ["A"] } }))).toBe(
      "A -> B -> C -> A (ask, hand-off, ask)",
    );
  });
  test("an agent that asks itself", () => {
    expect(printed(slip({ A: { asks: ["A"] } }))).toBe("A -> A (ask)");
  });
  test("routes that run each other", () => {
    expect(printed(slip({}, { a: routeTo({ route: "b" }), b: routeTo({ route: "a" }) }))).toBe("a -> b -> a (route, route)");
  });
  test("the shortest of several is printed", () => {
    expect(printed(slip({ A: { asks: ["B"] }, B: { asks: ["C"] }, C: { asks: ["D", "A"] }, D: { handsOffTo: ["C"] } }))).toBe(
      "C -> D -> C (ask, hand-off)",
    );
  });
  test("a ring that avoids the bounded member of its component", () => {
    expect(printed(slip({ A: { asks: ["B", "C"] }, B: { asks: ["A"], visitsMax: 3 }, C: { asks: ["A"] } }))).toBe("A -> C -> A (ask, ask)");
  });
  test("a long ring is printed without its middle", () => {
    const names = Array.from({ length: 100 }, (_, index) => `N${index}`);
    const text = printed(slip(Object.fromEntries(names.map((name, index) => [name, { asks: [names[(index + 1) % 100] ?? ""] }])))) ?? "";
    expect(text).toContain("... 77 more ...");
    expect(text).toMatch(/^N0 -> N1 .* -> N99 -> N0 \(/);
  });
});

describe("what is bounded passes", () => {
  test("one bound on the only ring", () => {
    expect(printed(slip({ A: { asks: ["B"] }, B: { asks: ["A"], visitsMax: 3 } }))).toBeUndefined();
  });
  test("a route that runs itself with a bound", () => {
    expect(printed(slip({}, { a: routeTo({ route: "a" }, 4) }))).toBeUndefined();
  });
  test("two paths to one agent are not a ring", () => {
    expect(printed(slip({ A: { asks: ["B", "C"] }, B: { asks: ["D"] }, C: { asks: ["D"] }, D: {} }))).toBeUndefined();
  });
  test("an agent and a route of one name are two", () => {
    expect(printed(slip({ a: {} }, { a: routeTo({ agent: "a" }) }))).toBeUndefined();
  });
});

describe("large graphs", () => {
  const NODES = 20_000;
  const chain = (last: readonly string[]): Slip =>
    slip(
      Object.fromEntries(
        Array.from({ length: NODES }, (_, index) => [`N${index}`, { asks: index + 1 < NODES ? [`N${index + 1}`] : last }]),
      ),
    );
  test("a chain of 20,000 does not overflow the stack", () => {
    expect(findUnboundedRing(chain([]))).toBeUndefined();
  });
  test("a ring of 20,000 is found", () => {
    expect(findUnboundedRing(chain(["N0"]))?.nodes.length).toBe(NODES);
  });
});

test("a ring is found exactly when brute force finds one, it is a ring, and none is shorter", () => {
  const NAMES = ["A", "B", "C", "D", "E"];
  const node = fc.record({ asks: fc.subarray(NAMES), handsOffTo: fc.subarray(NAMES), bounded: fc.integer({ min: 0, max: 3 }) });
  fc.assert(
    fc.property(fc.array(node, { minLength: 1, maxLength: 5 }), (made) => {
      const names = NAMES.slice(0, made.length);
      const links = Object.fromEntries(
        made.map((item, index) => [
          names[index] ?? "",
          {
            asks: item.asks.filter((name) => names.includes(name)).slice(0, 2),
            handsOffTo: item.handsOffTo.filter((name) => names.includes(name)).slice(0, 1),
            ...(item.bounded === 0 ? { visitsMax: 2 } : {}),
          },
        ]),
      );
      const shortest = bruteForce(links);
      const ring = findUnboundedRing(slip(links));
      expect(ring?.nodes.length).toBe(shortest);
      for (const [index, from] of (ring?.nodes ?? []).entries()) {
        const to = ring?.nodes[(index + 1) % ring.nodes.length]?.name ?? "";
        const link = links[from.name];
        expect(link).not.toHaveProperty("visitsMax");
        expect(ring?.kinds[index] === "ask" ? link?.asks : link?.handsOffTo).toContain(to);
      }
    }),
    { numRuns: 2_000 },
  );
});

/** Length of the shortest ring of nodes without a bound, by trying every simple path. */
function bruteForce(links: Links): number | undefined {
  let best: number | undefined;
  const walk = (start: string, path: readonly string[]): void => {
    const link = links[path.at(-1) ?? ""];
    for (const next of [...(link?.asks ?? []), ...(link?.handsOffTo ?? [])]) {
      if (links[next]?.visitsMax !== undefined) continue;
      if (next === start) best = Math.min(best ?? path.length, path.length);
      else if (!path.includes(next)) walk(start, [...path, next]);
    }
  };
  for (const [name, { visitsMax }] of Object.entries(links)) if (visitsMax === undefined) walk(name, [name]);
  return best;
}

describe("pictures", () => {
  const data = slip({ A: { asks: ["B"] }, B: { handsOffTo: ["A"], visitsMax: 3 } }, { main: routeTo({ agent: "A" }) });
  test("the graph as text", () => {
    expect(graphText(graphOf(data))).toBe(
      "route main\n  only -> agent A\nagent A\n  asks -> agent B\nagent B (at most 3 visits)\n  hands off to -> agent A\n",
    );
  });
  test("what an agent is for stands beside it", () => {
    const about = new Map([["B", "Answers back."]]);
    expect(graphText(graphOf(data, about))).toContain("agent B (at most 3 visits): Answers back.\n");
    expect(graphData(data, about)).toMatchObject({ agents: [{ name: "A" }, { name: "B", about: "Answers back." }] });
  });
  test("the graph as Mermaid", () => {
    expect(mermaid(graphOf(data))).toBe(
      'flowchart LR\n  n0[["main"]]\n  n1("A")\n  n2("B (at most 3 visits)")\n  n0 -->|"only"| n1\n  n1 ' +
        '-.->|"asks"| n2\n  n2 ==>|"hands off"| n1\n',
    );
  });
  test("an agent that is named but not in the slip is a node", () => {
    expect(graphOf(slip({ A: { asks: ["Z"] } })).nodes.map(({ name }) => name)).toEqual(["A", "Z"]);
  });
});

test("validators, the person at their end and the person of a budget are led to", () => {
  const { nodes, edges } = graphOf(
    slipOf([one("a", { validate: { by: "B", roundsMax: 1, onRefusal: { ask: "P" } } })], { budget: { tokens: 1 }, budgetAsks: "P" }),
  );
  expect(edges.map(({ to, stop }) => [nodes[to]?.name, stop])).toEqual([
    ["P", "end of the budget"],
    ["B", "a, judged"],
    ["P", "a, judged"],
    ["A", "a"],
  ]);
});
