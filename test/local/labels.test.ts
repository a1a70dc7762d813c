/** @module What untrusted text may do: where its label goes, which calls ask a person, and what clears it. */
import { describe, expect, test } from "vitest";
import { z } from "zod";
import { agent, contract, person, route, system, tool, type System } from "../../agents/index.ts";
import type { RequestView } from "../../runtime/people/view.ts";
import { runLocal, startLocal } from "../../testing/index.ts";

const Text = z.object({ text: z.string() });
const Reader = contract("Reader", 1, { input: Text, output: Text });
const Writer = contract("Writer", 1, { input: Text, output: Text });
const fetch = tool("fetch", { input: Text, output: Text, effect: "read", run: ({ text }) => ({ text: `page of ${text}` }) });
const ANN = { subject: "ann", tenant: "default", permissions: ["send", "note"] };

interface Made {
  readonly sent: string[];
  readonly asked: RequestView[];
  readonly made: System;
}

/** Reader reads a page, and Writer does something with what it gives: `effect`. */
function mails(effect: "write" | "egress", more: { readonly permission?: string; readonly declassify?: string } = {}): Made {
  const sent: string[] = [];
  const act = tool("act", { ...more, input: Text, output: z.null(), effect, run: ({ text }) => (sent.push(text), null) });
  const reader = agent(Reader, { tools: [fetch], handle: (input, ctx) => ctx.call(fetch, input) });
  const writer = agent(Writer, {
    tools: [act],
    handle: async (input, ctx) => {
      await ctx.call(act, input);
      return input;
    },
  });
  const main = route("main", 1, Text)
    .to("page", Reader, ({ task }) => task)
    .to("note", Writer, ({ page }) => page)
    .output(({ note }) => note);
  const own = route("own", 1, Text)
    .to("page", Reader, ({ task }) => task)
    .to("note", Writer, ({ task }) => task)
    .output(({ note }) => note);
  return { sent, asked: [], made: system("mail", { agents: [reader, writer], routes: [main, own] }) };
}

const INPUT = { text: "a.example" };
const approving = (asked: RequestView[]) => (request: RequestView) => {
  asked.push(request);
  return { do: "approve" } as const;
};

describe("what was derived from untrusted text", () => {
  test.each(["write", "egress"] as const)("reaches a tool of effect %s only with the consent of a person", async (effect) => {
    const { sent, asked, made } = mails(effect);
    expect(await runLocal(made, "main", INPUT, { people: approving(asked) })).toMatchObject({ status: "completed", label: ["tool:fetch"] });
    expect(sent).toEqual(["page of a.example"]);
    expect(asked).toMatchObject([{ tool: "act", input: { text: "page of a.example" }, label: ["tool:fetch"] }]);
    const refused = mails(effect);
    const denied = await runLocal(refused.made, "main", INPUT, { people: () => ({ do: "deny", reason: "no" }) });
    expect([denied.fault?.code, refused.sent]).toEqual(["person.denied", []]);
  });

  test("is another thing than what stands beside it: a stop that reads the task alone is asked nothing", async () => {
    const { sent, made } = mails("egress");
    expect(await runLocal(made, "own", INPUT)).toMatchObject({ status: "completed", label: [] });
    expect(sent).toEqual(["a.example"]);
  });

  test("reaches a write, but no egress, if the submitter gave the task the permission by name", async () => {
    const write = mails("write", { permission: "note" });
    const given = { principal: ANN, permissions: ["note"] };
    expect(await runLocal(write.made, "main", INPUT, given)).toMatchObject({ status: "completed" });
    const egress = mails("egress", { permission: "send" });
    const { asked } = egress;
    await runLocal(egress.made, "main", INPUT, { principal: ANN, permissions: ["send"], people: approving(asked) });
    expect([asked.length, egress.sent.length]).toEqual([1, 1]);
  });

  test("is let through by the rule of the tool's author, and by nothing else", async () => {
    const through = mails("egress", { declassify: 'input.text.startsWith("page of a.")' });
    expect(await runLocal(through.made, "main", INPUT)).toMatchObject({ status: "completed" });
    const { made, asked } = mails("egress", { declassify: 'input.text == "other"' });
    await runLocal(made, "main", INPUT, { people: approving(asked) });
    expect(asked).toHaveLength(1);
  });

  test("is what the submitter says is untrusted in its input, too", async () => {
    const { made, asked } = mails("egress");
    await runLocal(made, "own", INPUT, { untrusted: "mail", people: approving(asked) });
    expect(asked).toMatchObject([{ label: ["input:mail"] }]);
  });
});

test("a signal of another principal is untrusted, one of the task's own is not", async () => {
  const waiting = agent(Reader, { handle: async (_input, ctx) => ctx.waitFor("reply", Text) });
  const made = system("s", {
    agents: [waiting],
    routes: [
      route("r", 1, Text)
        .to("a", Reader, ({ task }) => task)
        .output(({ a }) => a),
    ],
  });
  for (const [sender, label] of [
    [ANN, []],
    [{ ...ANN, subject: "ben" }, ["signal:reply"]],
  ] as const) {
    const local = startLocal(made);
    const running = local.run("r", INPUT, { id: "t", principal: ANN });
    await new Promise((resolve) => setTimeout(resolve, 20));
    await local.signal("t", "reply", { text: "hello" }, "s1", sender);
    expect(await running).toMatchObject({ output: { text: "hello" }, label });
    await local.stop();
  }
});

test("the answer of a person is trusted, though the question was not", async () => {
  const Editor = person("Editor", { input: Text, output: Text });
  const reader = agent(Reader, { tools: [fetch], handle: (input, ctx) => ctx.call(fetch, input) });
  const main = route("main", 1, Text)
    .to("page", Reader, ({ task }) => task)
    .to("edit", Editor, ({ page }) => page)
    .output(({ edit }) => edit);
  const seen: RequestView[] = [];
  const outcome = await runLocal(system("s", { agents: [reader, Editor], routes: [main] }), "main", INPUT, {
    people: (request) => {
      seen.push(request);
      return { do: "answer", output: { text: "checked" } };
    },
  });
  expect(outcome).toMatchObject({ output: { text: "checked" }, label: [] });
  expect(seen).toMatchObject([{ label: ["tool:fetch"] }]);
});

describe("the state of an agent that serves all", () => {
  const Note = contract("Note", 1, { input: Text, output: Text, key: () => "one" });
  const note = agent(Note, {
    state: { schema: Text, initial: { text: "" } },
    handle: async ({ text }, ctx) => {
      const before = ctx.state;
      ctx.setState({ text });
      return before;
    },
  });
  const made = system("s", {
    agents: [note],
    routes: [
      route("r", 1, Text)
        .to("a", Note, ({ task }) => task)
        .output(({ a }) => a),
    ],
  });

  test("is untrusted for the tasks of others than who set it", async () => {
    const local = startLocal(made);
    const as = async (subject: string): Promise<readonly string[]> => {
      const { label } = await local.run("r", { text: `by ${subject}` }, { principal: { ...ANN, subject } });
      return label;
    };
    expect([await as("ann"), await as("ann"), await as("ben"), await as("ann")]).toEqual([
      [],
      [],
      ["principal:default/ann"],
      // What ben set was derived from what ann had set; to ann only ben is another one.
      ["principal:default/ben"],
    ]);
    await local.stop();
  });

  test("costs a system without named principals and untrusted text nothing", async () => {
    const local = startLocal(made);
    await local.run("r", INPUT);
    expect(await local.run("r", INPUT)).toMatchObject({ label: [] });
    await local.stop();
  });
});
