/** @module Requests to people over HTTP: listed, shown and decided, by whom they may be, within their tenant. */
import { createHash } from "node:crypto";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { z } from "zod";
import { agent } from "../../../agents/agent.ts";
import { contract } from "../../../agents/contract.ts";
import { person } from "../../../agents/person.ts";
import { route } from "../../../agents/route.ts";
import { system } from "../../../agents/system.ts";
import type { TokenEntry } from "../../../actors/http/tokens.ts";
import { AuditPage, ProcessPage } from "../../../runtime/answers.ts";
import { hashJson } from "../../../runtime/canonical.ts";
import { insideId } from "../../../runtime/ids.ts";
import { InboxPage } from "../../../runtime/people/answers.ts";
import { ProcessView } from "../../../runtime/process-view.ts";
import { startReal, type RealRig } from "./real-rig.ts";
import { ErrorAnswer, type Answer } from "./rig.ts";

const APP = "the-app";
const NOTHING = "0".repeat(64);

const Amount = z.object({ amount: z.int() });
const Word = z.object({ word: z.string() });
const Approver = person("Approver", { input: Amount, roles: ["manager"] });
/** Escalated at once. */
const Urgent = person("Urgent", { input: Amount, roles: ["manager"], escalate: [{ afterMs: 1, roles: ["boss"] }] });
const Oracle = person("Oracle", { input: Amount, output: Word });
const Asker = contract("Asker", 1, { input: Amount, output: Word });
const asker = agent(Asker, { asks: [Oracle], handle: (input, ctx) => ctx.ask(Oracle, input) });

const approve = route("approve", 1, Amount)
  .to("ok", Approver, ({ task }) => task)
  .output(({ ok }) => ok);
const urgent = route("urgent", 1, Amount)
  .to("ok", Urgent, ({ task }) => task)
  .output(({ ok }) => ok);
const ask = route("ask", 1, Amount)
  .to("said", Asker, ({ task }) => task)
  .output(({ said }) => said);
const outer = route("outer", 1, Amount)
  .to("nested", ask, ({ task }) => task)
  .output(({ nested }) => nested);

const ALL = ["submit", "read", "decide"] as const;
const PEOPLE: Readonly<Record<string, Pick<TokenEntry, "tenant" | "personRoles" | "kind">>> = {
  ann: {},
  max: { personRoles: ["manager"] },
  bea: { personRoles: ["boss"] },
  bot: { personRoles: ["manager"], kind: "agent" },
  acme: { tenant: "acme", personRoles: ["manager"] },
  acmeBoss: { tenant: "acme", personRoles: ["manager"] },
  globex: { tenant: "globex", personRoles: ["manager"] },
};

let rig: RealRig;
beforeAll(async () => {
  const tokens = Object.entries(PEOPLE).map(([subject, entry]) => ({
    sha256: createHash("sha256").update(subject).digest("hex"),
    subject,
    roles: [...ALL],
    ...entry,
  }));
  const desk = system("desk", { agents: [asker, Approver, Urgent, Oracle], routes: [approve, urgent, ask, outer] });
  rig = await startReal({ appToken: APP, tokens }, desk);
});
afterAll(async () => {
  await rig.stop();
  // Among other things: no answer that does not match its schema.
  expect(rig.log).toEqual([]);
});

function as(name: string, method: string, path: string, body?: unknown): Promise<Answer> {
  return rig.call(method, path, body, { authorization: `Bearer ${name}` });
}

/** The outcome of a request: its status, or the code of its refusal. */
async function told(answer: Promise<Answer>): Promise<string> {
  const { status, json } = await answer;
  return status < 300 ? String(status) : ErrorAnswer.parse(json).error.code;
}

async function list(name: string, query = ""): Promise<InboxPage> {
  return InboxPage.parse((await as(name, "GET", `/inbox?${query}`)).json);
}

/** Submits a task and waits until its request is in the inbox. */
async function asked(name: string, path: string, id: string, amount = 1_200): Promise<string> {
  await as(name, "POST", "/tasks", { id, route: path, input: { amount } });
  await expect.poll(async () => (await list(name, `process=${id}`)).entries).toHaveLength(1);
  return `${id}.r1`;
}

function decide(name: string, request: string, decision: object): Promise<Answer> {
  return as(name, "POST", `/inbox/${request}/decision`, { hash: hashJson({ amount: 1_200 }), ...decision });
}

const APPROVE = { do: "approve" };

describe("a request", () => {
  test("shows what is asked, its hash, who may decide and what may be decided; its process names it", async () => {
    const id = await asked("ann", "approve", "shown");
    // Who asked may not decide, and has not the role `content`.
    expect((await as("ann", "GET", `/inbox/${id}`)).json).toMatchObject({ id, input: null, hidden: true });
    expect((await as("max", "GET", `/inbox/${id}`)).json).toMatchObject({
      ...{ id, processId: "shown", route: "approve", kind: "question", state: "open", person: "Approver", forSubject: "ann" },
      ...{ roles: ["manager"], input: { amount: 1_200 }, hash: hashJson({ amount: 1_200 }), actions: ["approve", "edit", "deny"] },
      inputSchema: expect.objectContaining({ type: "object" }),
    });
    const { waits } = ProcessView.parse((await as("ann", "GET", "/processes/shown")).json);
    expect(waits).toEqual([expect.objectContaining({ kind: "person", name: "Approver", request: id })]);
    const { entries } = ProcessPage.parse((await as("ann", "GET", "/processes?route=approve")).json);
    expect(entries).toEqual([expect.objectContaining({ id: "shown", request: id, person: "Approver" })]);
    expect(await told(decide("max", id, APPROVE))).toBe("202");
    await expect.poll(async () => (await as("ann", "GET", "/processes?route=approve")).text).not.toContain('"request"');
  });

  test("is decided by a person of its roles, and by no one else: a refused decision leaves it open", async () => {
    const id = await asked("ann", "approve", "who");
    for (const name of ["ann", "bea", "bot", APP])
      expect([name, await told(decide(name, id, APPROVE))]).toEqual([name, "person.forbidden"]);
    expect((await list("ann", "process=who")).entries).toHaveLength(1);
    expect(await told(decide("max", id, APPROVE))).toBe("202");
  });

  test("is not decided by the person who submitted the task, with any roles", async () => {
    const id = await asked("max", "approve", "own");
    expect(await told(decide("max", id, APPROVE))).toBe("person.forbidden");
  });

  test("has one decision: the same again gets the same receipt, another one is refused; audit and inbox say who decided", async () => {
    const id = await asked("ann", "approve", "once");
    const first = await decide("max", id, { do: "edit", input: { amount: 900 }, reason: "one item" });
    expect([first.status, first.json]).toMatchObject([202, { id, processId: "once", do: "edit", state: "edited" }]);
    expect((await decide("max", id, { do: "edit", input: { amount: 900 }, reason: "one item" })).json).toEqual(first.json);
    for (const decision of [APPROVE, { do: "deny", reason: "no" }]) expect(await told(decide("max", id, decision))).toBe("person.decided");
    const { outcome } = ProcessView.parse((await as("ann", "GET", "/processes/once")).json);
    expect(outcome).toMatchObject({
      status: "completed",
      output: { verdict: "edited", input: { amount: 900 }, by: "max", reason: "one item" },
    });
    await expect.poll(async () => (await list("ann", "process=once")).entries).toEqual([]);
    expect((await list("ann", "process=once&state=decided")).entries).toEqual([
      expect.objectContaining({ id, state: "edited", by: "max" }),
    ]);
    expect((await as("ann", "GET", `/inbox/${id}`)).json).toMatchObject({ state: "edited", decided: { by: "max", reason: "one item" } });
    const audit = async (): Promise<unknown> =>
      AuditPage.parse((await as("ann", "GET", "/audit")).json).entries.filter(
        ({ target, what }) => target === id && what !== "looked at content",
      );
    await expect.poll(audit).toEqual([expect.objectContaining({ who: "max", what: "edit", why: "one item" })]);
  });

  test("is not decided on something else than what was shown, nor by what does not fit", async () => {
    const id = await asked("ann", "approve", "changed");
    expect(await told(decide("max", id, { ...APPROVE, hash: NOTHING }))).toBe("person.changed");
    expect(await told(decide("max", id, { do: "edit", input: { amount: "all" } }))).toBe("schema.input");
    expect(await told(decide("max", id, { do: "answer", output: 1 }))).toBe("body.invalid");
    expect(await told(decide("max", id, { do: "deny" }))).toBe("body.invalid");
    const question = await asked("ann", "ask", "question");
    expect(await told(decide("bea", question, { do: "answer", output: { word: 7 } }))).toBe("schema.output");
    expect(await told(decide("bea", question, { do: "answer", output: { word: "yes" } }))).toBe("202");
    await expect
      .poll(async () => (await as("ann", "GET", "/processes/question")).json)
      .toMatchObject({ outcome: { output: { word: "yes" } } });
  });

  test("that does not exist is unknown", async () => {
    for (const id of ["none.r1", "shown.r2"]) {
      expect(await told(as("ann", "GET", `/inbox/${id}`))).toBe("person.unknown");
      expect(await told(decide("max", id, APPROVE))).toBe("person.unknown");
    }
    expect(await told(as("ann", "GET", "/inbox/none"))).toBe("id.invalid");
  });

  test("of a nested route stands in the same inbox, and its answer reaches the parent", async () => {
    await as("ann", "POST", "/tasks", { id: "parent", route: "outer", input: { amount: 1_200 } });
    const nested = async (): Promise<readonly string[]> =>
      (await list("ann", "route=ask")).entries.filter(({ processId }) => processId.startsWith("child-")).map(({ id }) => id);
    await expect.poll(nested).toHaveLength(1);
    const [id = ""] = await nested();
    expect(await told(decide("bea", id, { do: "answer", output: { word: "deep" } }))).toBe("202");
    await expect
      .poll(async () => (await as("ann", "GET", "/processes/parent")).json)
      .toMatchObject({ outcome: { output: { word: "deep" } } });
  });
});

test("the inbox lists escalated requests first, then the newest, page by page without a repetition", async () => {
  const ids = ["u-1", "u-2"].map((id) => asked("globex", "urgent", id));
  for (const id of await Promise.all(ids)) expect(id).toMatch(/^u-/);
  for (const id of ["p-1", "p-2", "p-3"]) await asked("globex", "approve", id);
  await expect.poll(async () => (await list("globex", "person=Urgent")).entries.map(({ escalated }) => escalated)).toEqual([1, 1]);
  expect((await list("globex", "person=Urgent")).entries[0]?.roles).toEqual(["manager", "boss"]);
  for (const limit of [1, 2, 3, 4, 5, 9]) {
    const seen: string[] = [];
    for (let cursor: string | undefined = ""; cursor !== undefined;) {
      const page: InboxPage = await list("globex", `limit=${limit}${cursor === "" ? "" : `&cursor=${encodeURIComponent(cursor)}`}`);
      seen.push(...page.entries.map(({ id }) => id));
      ({ cursor } = page);
    }
    expect([limit, seen.slice(0, 2).toSorted(), seen.slice(2)]).toEqual([limit, ["u-1.r1", "u-2.r1"], ["p-3.r1", "p-2.r1", "p-1.r1"]]);
  }
  expect((await list("globex", "route=urgent")).entries).toHaveLength(2);
  expect(await told(as("globex", "GET", "/inbox?cursor=x"))).toBe("body.invalid");
});

test("a tenant sees and decides its own requests under its own ids; an operator sees them all", async () => {
  const id = await asked("acme", "approve", "order");
  const inside = insideId(id, "acme");
  expect((await list("acme", "process=order")).entries).toEqual([expect.objectContaining({ id, processId: "order", tenant: "acme" })]);
  expect((await as("acme", "GET", "/processes/order")).json).toMatchObject({
    waits: [{ request: id }],
    requests: [{ id, processId: "order" }],
  });
  expect(ProcessPage.parse((await as("acme", "GET", "/processes")).json).entries[0]).toMatchObject({ id: "order", request: id });
  for (const name of ["globex", "acme"]) expect(await told(as(name, "GET", `/inbox/${inside}`))).toBe("person.unknown");
  expect(await told(as("globex", "GET", `/inbox/${id}`))).toBe("person.unknown");
  expect(await told(decide("globex", id, APPROVE))).toBe("person.unknown");
  expect(await told(decide("globex", inside, APPROVE))).toBe("person.unknown");
  expect((await list("globex", "process=order")).entries).toEqual([]);
  expect((await list("max", `process=${insideId("order", "acme")}`)).entries).toEqual([
    expect.objectContaining({ id: inside, tenant: "acme" }),
  ]);
  expect(await told(decide("acme", id, APPROVE))).toBe("person.forbidden");
  const decided = await decide("acmeBoss", id, APPROVE);
  expect([decided.status, decided.json, decided.headers.get("location")]).toMatchObject([
    202,
    { id, processId: "order" },
    "/processes/order",
  ]);
});
