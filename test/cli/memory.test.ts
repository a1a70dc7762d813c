/** @module `memory list|show|forget|promote` against a pretended system. */
import { expect, test } from "vitest";
import { AT_MS, run, stub, useParty } from "./party.ts";
import { refuse } from "./stub.ts";

useParty();

const MEMORY = "key.Support.ann";
const FACT = {
  id: "4f1c",
  key: "address",
  version: 2,
  kind: "fact",
  value: { street: "Main" },
  trust: "untrusted",
  label: ["tool:fetch"],
  atMs: AT_MS,
  writer: { agent: "Support", processId: "trip-7", workId: "trip-7:1:a:0:1", subject: "ann" },
  parents: [{ memory: "source.handbook", id: "d1", version: 1 }],
  readers: [{ agent: "Support", processId: "trip-8", workId: "trip-8:1:a:0:1", atMs: AT_MS }],
};
const VIEW = {
  id: MEMORY,
  total: 3,
  facts: [FACT],
  gone: [{ id: "77ab", version: 1, why: "forgotten", by: "ann", atMs: AT_MS }],
  readersDropped: 0,
  stale: [],
};

test("lists memories, and the facts of one with what is gone", async () => {
  stub.answers["GET /memory"] = { json: { memories: [MEMORY, "source.handbook"] } };
  stub.answers[`GET /memory/${MEMORY}`] = { json: VIEW };
  expect((await run("memory", "list")).out).toBe(`${MEMORY}\nsource.handbook\n`);
  const { out } = await run("memory", "list", MEMORY);
  expect(out).toMatch(/^4f1c +address +fact v2 +untrusted +\S.*\{"street":"Main"\}$/m);
  expect(out).toContain("1 of 3 facts.");
  expect(out).toContain("Gone: 77ab v1 (forgotten).");
});

test("shows one fact with where it comes from and who has read it, and asks by words", async () => {
  stub.answers[`GET /memory/${MEMORY}`] = { json: VIEW };
  const { out } = await run("memory", "show", MEMORY, "4f1c");
  expect(out).toContain("trust      untrusted (from tool:fetch)");
  expect(out).toContain("derived    from source.handbook/d1");
  expect(out).toContain("read by    trip-8");
  await run("memory", "show", MEMORY, "--text", "Main street");
  expect(stub.seen.map(({ path }) => path.replaceAll("+", " "))).toEqual([
    `/memory/${MEMORY}?id=4f1c&limit=20`,
    `/memory/${MEMORY}?text=Main street&limit=20`,
  ]);
});

test("forgets a fact, and says who had read it and what was purged", async () => {
  stub.answers[`POST /memory/${MEMORY}/forget`] = {
    json: {
      facts: [{ memory: MEMORY, id: "4f1c", version: 2 }],
      readers: FACT.readers,
      readersDropped: 2,
      purged: ["trip-7"],
      waiting: ["trip-8"],
    },
  };
  const { out } = await run("memory", "forget", MEMORY, "4f1c", "--purge", "--reason", "asked for it");
  expect(stub.seen[0]?.body).toEqual({ id: "4f1c", reason: "asked for it", purge: true });
  expect(out).toContain(`Forgotten: ${MEMORY}/4f1c v2.`);
  expect(out).toContain("  trip-8 (Support)");
  expect(out).toContain("2 older reads are no longer named.");
  expect(out).toContain("Purged: trip-7.");
  expect(out).toMatch(/Not purged yet.*trip-8/);
});

test("promotes a fact with a reason, and tells a fault", async () => {
  stub.answers[`POST /memory/${MEMORY}/promote`] = { json: FACT };
  expect((await run("memory", "promote", MEMORY, "4f1c", "--reason", "seen")).out).toContain("4f1c is promoted");
  expect(stub.seen[0]?.body).toEqual({ id: "4f1c", reason: "seen" });
  stub.answers[`POST /memory/${MEMORY}/promote`] = refuse("memory.unknown");
  expect(await run("memory", "promote", MEMORY, "none", "--reason", "seen")).toMatchObject({
    code: 1,
    err: expect.stringContaining("memory.unknown"),
  });
});
