/** @module Consents and standing rules where text is untrusted, where a permission is missing, and where an edit meets another rule. */
import { describe, expect, test } from "vitest";
import { z } from "zod";
import { agent, contract, route, system, type System, tool } from "../../agents/index.ts";
import { isFault } from "../../runtime/faults.ts";
import type { RequestView } from "../../runtime/people/view.ts";
import { ANONYMOUS } from "../../runtime/protocol/principal.ts";
import { type LocalDecision, startLocal } from "../../testing/index.ts";

const Mail = z.strictObject({ to: z.string(), cost: z.int() });
const Task = z.strictObject({ reads: z.array(z.enum(["page", "note"])), mail: Mail });
const Writer = contract("Writer", 1, { input: Task, output: z.string() });

function mailer(more: { readonly permission?: string } = {}): { readonly sent: unknown[]; readonly mailer: System } {
  const sent: unknown[] = [];
  const reader = <const Name extends string>(name: Name) =>
    tool(name, { input: z.string(), output: z.string(), effect: "read", untrusted: true, run: (about) => `${name} about ${about}` });
  const page = reader("page");
  const note = reader("note");
  const send = tool("send", {
    ...more,
    input: Mail,
    output: z.string(),
    effect: "egress",
    approve: "input.cost > 100",
    run: (mail) => {
      sent.push(mail);
      return `sent to ${mail.to}`;
    },
  });
  const writer = agent(Writer, {
    tools: [page, note, send],
    handle: async ({ reads, mail }, ctx) => {
      for (const one of reads) await ctx.call(one === "page" ? page : note, "x");
      return ctx.call(send, mail).catch((error: unknown) => (isFault(error) ? error.code : "?"));
    },
  });
  const main = route("main", 1, Task)
    .to("writer", Writer, ({ task }) => task)
    .output(({ writer: said }) => said);
  return { sent, mailer: system("mail", { agents: [writer], routes: [main] }) };
}

/** Runs tasks one after the other. `decide` has the number of the request, from 1. */
async function runAll(
  one: System,
  tasks: readonly z.infer<typeof Task>[],
  decide: (request: RequestView, count: number) => LocalDecision,
  permissions: readonly string[] = [],
): Promise<{ readonly outputs: unknown[]; readonly asked: RequestView[] }> {
  const asked: RequestView[] = [];
  const local = startLocal(one, { people: (request) => decide(request, asked.push(request)) });
  const outputs: unknown[] = [];
  const principal = { ...ANONYMOUS, permissions };
  for (const task of tasks) outputs.push((await local.run("main", task, { principal })).output);
  await local.stop();
  return { outputs, asked };
}

const MAIL = { to: "ann@example.org", cost: 5 };
const approve: LocalDecision = { do: "approve" };
const deny: LocalDecision = { do: "deny", reason: "no" };

describe("a call with untrusted text", () => {
  test("that would send it out is put to a person, with where the text comes from", async () => {
    const { sent, mailer: one } = mailer();
    const { outputs, asked } = await runAll(
      one,
      [
        { reads: [], mail: MAIL },
        { reads: ["note", "page"], mail: MAIL },
      ],
      () => deny,
    );
    expect([outputs, sent]).toEqual([["sent to ann@example.org", "person.denied"], [MAIL]]);
    expect(asked).toHaveLength(1);
    expect(asked[0]).toMatchObject({ rule: "untrusted text in egress", label: ["tool:note", "tool:page"], input: MAIL });
    expect(asked[0]?.evidence.map(({ origin, trusted }) => `${origin} ${trusted}`)).toEqual([
      "tool:page false",
      "tool:note false",
      "input true",
    ]);
  });

  test("is edited under the rules that asked; a rule that did not ask before is asked for the edited input", async () => {
    const { sent, mailer: one } = mailer();
    const { outputs, asked } = await runAll(one, [{ reads: ["page"], mail: MAIL }], (_request, count) =>
      count === 1 ? { do: "edit", input: { ...MAIL, cost: 500 } } : approve,
    );
    expect(outputs).toEqual(["sent to ann@example.org"]);
    expect(asked.map(({ rule, input }) => [rule, input])).toEqual([
      ["untrusted text in egress", MAIL],
      ["approve: input.cost > 100; untrusted text in egress", { ...MAIL, cost: 500 }],
    ]);
    expect(sent).toEqual([{ ...MAIL, cost: 500 }]);
    const again = mailer();
    const kept = await runAll(again.mailer, [{ reads: ["page"], mail: { ...MAIL, cost: 900 } }], () => ({ do: "edit", input: MAIL }));
    expect([kept.asked.length, again.sent]).toEqual([1, [MAIL]]);
  });
});

describe("a standing rule", () => {
  test("lets no untrusted text through if its request had none", async () => {
    const { mailer: one } = mailer();
    const mail = { ...MAIL, cost: 500 };
    const tasks = [[], [], ["page"]].map((reads) => Task.parse({ reads, mail }));
    const { outputs, asked } = await runAll(one, tasks, (_request, count) => (count === 1 ? { ...approve, always: { rule: 0 } } : deny));
    expect([outputs, asked.length]).toEqual([["sent to ann@example.org", "sent to ann@example.org", "person.denied"], 2]);
  });

  test("that was made about untrusted text lets that of the same origin through, and no other", async () => {
    const { mailer: one } = mailer();
    const tasks = [["page"], ["page"], [], ["note"], ["page", "note"]].map((reads) => Task.parse({ reads, mail: MAIL }));
    const { outputs, asked } = await runAll(one, tasks, (_request, count) => (count === 1 ? { ...approve, always: { rule: 0 } } : deny));
    expect(outputs).toEqual([...Array.from({ length: 3 }, () => "sent to ann@example.org"), "person.denied", "person.denied"]);
    expect(asked).toHaveLength(3);
  });

  test("gives no permission", async () => {
    const { sent, mailer: one } = mailer({ permission: "mail" });
    const mail = { ...MAIL, cost: 500 };
    const local = startLocal(one, { people: () => ({ ...approve, always: { rule: 0 } }) });
    const run = async (permissions: readonly string[]): Promise<unknown> =>
      (await local.run("main", { reads: [], mail }, { principal: { ...ANONYMOUS, permissions } })).output;
    expect([await run(["mail"]), await run([]), await run(["mail"])]).toEqual([
      "sent to ann@example.org",
      "tool.forbidden",
      "sent to ann@example.org",
    ]);
    await local.stop();
    expect(sent).toHaveLength(2);
  });
});
