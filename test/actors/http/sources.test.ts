/** @module Sources over HTTP: listed with how current they are, compared on demand, by roles and tenants, with a line of the audit. */
import { createHash } from "node:crypto";
import { afterAll, beforeAll, expect, test } from "vitest";
import { connect, type Client } from "../../../client/index.ts";
import { Shelf, systemOf } from "../sources-rig.ts";
import { type RealRig, startReal } from "./real-rig.ts";
import type { Answer } from "./rig.ts";

const TOKENS = [
  ["reader", undefined, ["read"]],
  ["operator", undefined, ["submit", "read", "operate"]],
  ["acme", "acme", ["submit", "read", "operate"]],
] as const;

let rig: RealRig;
const shelf = new Shelf();

beforeAll(async () => {
  const tokens = TOKENS.map(([name, tenant, roles]) => ({
    sha256: createHash("sha256").update(name).digest("hex"),
    subject: `${name}-user`,
    ...(tenant === undefined ? {} : { tenant }),
    roles: [...roles],
  }));
  rig = await startReal({ appToken: "the-app", tokens }, systemOf(shelf));
});
afterAll(async () => rig.stop());

function as(name: (typeof TOKENS)[number][0], method: string, path: string): Promise<Answer> {
  return rig.call(method, path, method === "POST" ? {} : undefined, { authorization: `Bearer ${name}` });
}

test("a comparison on demand is answered with what it found, and the listing says when it was and what failed since", async () => {
  expect((await as("reader", "GET", "/sources")).json).toEqual({
    sources: [{ name: "handbook", memory: "source.handbook", untrusted: true, everyMs: 300_000, documents: 0, failures: 0 }],
  });
  shelf.set({ a: "apples", b: "bananas" });
  expect(await as("operator", "POST", "/sources/handbook/sync")).toMatchObject({
    status: 200,
    json: { source: "handbook", comparison: 1, listed: 2, added: 2, unread: [], derived: 0, readers: [], readersDropped: 0 },
  });
  shelf.onList = () => {
    throw new Error("the folder is away");
  };
  expect(await as("operator", "POST", "/sources/handbook/sync")).toMatchObject({
    status: 503,
    json: { error: { code: "source.unavailable" } },
  });
  shelf.onList = () => {};
  expect((await as("reader", "GET", "/sources")).json).toMatchObject({
    sources: [{ documents: 2, compared: { listed: 2, unread: 0 }, failures: 1, fault: { code: "source.unavailable" } }],
  });
  expect((await as("operator", "GET", "/audit")).json).toMatchObject({
    entries: [{ what: "sync", target: "handbook", who: "operator-user" }, {}],
  });
});

test("who may only read compares nothing, a tenant sees no sources of all, and an unknown name is told those that there are", async () => {
  expect(await as("reader", "POST", "/sources/handbook/sync")).toMatchObject({ status: 403 });
  expect(await as("acme", "GET", "/sources")).toMatchObject({ status: 403 });
  expect(await as("acme", "POST", "/sources/handbook/sync")).toMatchObject({ status: 403 });
  expect(await as("operator", "POST", "/sources/none/sync")).toMatchObject({ status: 404, json: { error: { code: "source.unknown" } } });
});

test("the client lists and compares them too", async () => {
  const client: Client = connect({ url: rig.origin, token: "operator" });
  expect((await client.syncSource("handbook")).listed).toBe(2);
  expect((await client.sources()).sources[0]?.documents).toBe(2);
});
