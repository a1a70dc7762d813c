/** @module People in `runLocal`: calls that a person approves, edits or denies, and what handlers and models learn of it. */
import { describe, expect, test } from "vitest";
import { z } from "zod";
import { agent, contract, model, person, route, system, type System, tool, type ToolCall } from "../../agents/index.ts";
import { isFault } from "../../runtime/faults.ts";
import { MINUTE_MS } from "../../runtime/units.ts";
import { fakeModel, type LocalDecision, type People, runLocal, startLocal } from "../../testing/index.ts";

const Payment = z.strictObject({ to: z.string(), amount: z.int() });
type Payment = z.infer<typeof Payment>;
const Manager = person("Manager", { roles: ["manager"], deadlineMs: 10 * MINUTE_MS, escalate: [{ afterMs: MINUTE_MS, roles: ["boss"] }] });
const Payer = contract("Payer", 1, { input: z.array(Payment), output: z.array(z.string()) });
const Last = contract("Last", 1, { input: z.array(z.string()), output: z.array(z.string()) });

interface Made {
  readonly paid: Payment[];
  readonly keys: string[];
  readonly undone: Payment[];
}

/** Pays each payment in parallel. A refused one is answered with its fault. */
function bank(last: (paid: readonly string[]) => string[] = (paid) => [...paid]): { readonly made: Made; readonly bank: System } {
  const made: Made = { paid: [], keys: [], undone: [] };
  const pay = tool("pay", {
    input: Payment,
    output: z.string(),
    effect: "write",
    approve: "input.amount > 100",
    approver: Manager,
    run: (payment, { idempotencyKey }: ToolCall) => {
      made.paid.push(payment);
      made.keys.push(idempotencyKey);
      return `${payment.amount} to ${payment.to}`;
    },
    undo: (payment) => void made.undone.push(payment),
  });
  const payer = agent(Payer, {
    tools: [pay],
    handle: (payments, ctx) =>
      Promise.all(
        payments.map((one) => ctx.call(pay, one).catch((error: unknown) => (isFault(error) ? `${error.code}: ${error.message}` : "?"))),
      ),
  });
  const closing = agent(Last, { handle: last });
  const main = route("main", 1, z.array(Payment))
    .to("payer", Payer, ({ task }) => task)
    .to("last", Last, ({ payer: paid }) => paid, { retry: { attemptsMax: 1 } })
    .output(({ last: done }) => done);
  return { made, bank: system("bank", { agents: [payer, closing, Manager], routes: [main] }) };
}

const approve: LocalDecision = { do: "approve", by: "ann", roles: ["manager"] };

describe("a call that needs a person's approval", () => {
  test("is made with exactly the input that the person saw; calls below the rule ask no one", async () => {
    const { made, bank: one } = bank();
    const seen: unknown[] = [];
    const outcome = await runLocal(
      one,
      "main",
      [
        { to: "b", amount: 500 },
        { to: "c", amount: 5 },
      ],
      {
        people: ({ tool: name, input, rule, person: who, roles, agent: asker, forSubject }) => {
          seen.push({ name, input, rule, who, roles, asker, forSubject });
          return approve;
        },
      },
    );
    expect(outcome).toMatchObject({ status: "completed", output: ["500 to b", "5 to c"] });
    expect(seen).toEqual([
      {
        ...{ name: "pay", input: { to: "b", amount: 500 }, rule: "approve: input.amount > 100", who: "Manager" },
        ...{ roles: ["manager"], asker: "Payer", forSubject: "anonymous" },
      },
    ]);
    expect(made.paid).toHaveLength(2);
  });

  test("that is edited is made with the edited input under the same key, and its undo gets that input", async () => {
    const whole = bank();
    const kept = await runLocal(whole.bank, "main", [{ to: "b", amount: 500 }], { people: () => approve });
    expect(kept.output).toEqual(["500 to b"]);
    const failing = bank(() => {
      throw new Error("no");
    });
    const outcome = await runLocal(failing.bank, "main", [{ to: "b", amount: 500 }], {
      people: () => ({ do: "edit", input: { to: "b", amount: 300 }, by: "ann", roles: ["manager"], reason: "one came back" }),
    });
    expect(outcome.status).toBe("failed");
    expect(failing.made).toEqual({ paid: [{ to: "b", amount: 300 }], keys: whole.made.keys, undone: [{ to: "b", amount: 300 }] });
  });

  test("each of several has its own request: one decision runs one call, and a denial loses no other", async () => {
    const { made, bank: one } = bank();
    const ids = new Set<string>();
    const payments = [1, 2, 3, 4].map((count) => ({ to: `p${count}`, amount: 100 + count }));
    const decisions: Record<string, LocalDecision | undefined> = {
      p1: approve,
      p2: { do: "deny", reason: "unknown payee", by: "ann", roles: ["manager"] },
      p3: { do: "edit", input: { to: "p3", amount: 1 }, by: "ann", roles: ["manager"] },
    };
    const outcome = await runLocal(one, "main", payments, {
      people: async ({ id, input }) => {
        ids.add(id);
        return decisions[(input as Payment).to];
      },
    });
    expect(ids.size).toBe(4);
    expect(outcome.output).toEqual([
      "101 to p1",
      "person.denied: tool pay was not called: ann denied it: unknown payee",
      "1 to p3",
      expect.stringMatching(/^person\.denied: tool pay was not called: .* in time$/),
    ]);
    expect(made.paid.toSorted((left, right) => right.amount - left.amount)).toEqual([
      { to: "p1", amount: 101 },
      { to: "p3", amount: 1 },
    ]);
  });

  test("two calls with the same input are two requests: approving the first does not run the second", async () => {
    const { made, bank: one } = bank();
    let asked = 0;
    const outcome = await runLocal(
      one,
      "main",
      [
        { to: "b", amount: 500 },
        { to: "b", amount: 500 },
      ],
      {
        people: () => ((asked += 1) === 1 ? approve : { do: "deny", reason: "once is enough", by: "ann", roles: ["manager"] }),
      },
    );
    expect(asked).toBe(2);
    expect(made.paid).toHaveLength(1);
    expect((outcome.output as string[]).filter((text) => text.startsWith("person.denied"))).toHaveLength(1);
  });

  test("an edit that does not fit the tool's schema is refused, and the call waits on", async () => {
    const { made, bank: one } = bank();
    const people: People = () => ({ do: "edit", input: { to: "b" }, by: "ann", roles: ["manager"] });
    await expect(runLocal(one, "main", [{ to: "b", amount: 500 }], { people })).rejects.toMatchObject({ code: "schema.input" });
    expect(made.paid).toEqual([]);
  });

  test("is decided by who may: another role is refused, and may after the escalation", async () => {
    const { made, bank: one } = bank();
    const boss: LocalDecision = { do: "approve", by: "bob", roles: ["boss"] };
    await expect(runLocal(one, "main", [{ to: "b", amount: 500 }], { people: () => boss })).rejects.toMatchObject({
      code: "person.forbidden",
    });
    const outcome = await runLocal(one, "main", [{ to: "b", amount: 500 }], {
      people: ({ escalated }) => (escalated === 0 ? undefined : boss),
    });
    expect([outcome.output, made.paid.length]).toEqual([["500 to b"], 1]);
  });

  test("without people in the test the run fails at once, and says what to do", async () => {
    const { bank: one } = bank();
    await expect(runLocal(one, "main", [{ to: "b", amount: 500 }])).rejects.toMatchObject({
      code: "person.expired",
      message: expect.stringContaining("give it the option people"),
    });
  });
});

describe("always", () => {
  const denied: LocalDecision = { do: "deny", reason: "no", by: "ann", roles: ["manager"] };

  test("makes a standing rule for such calls, until its uses end; larger amounts and other payees are asked about", async () => {
    const { made, bank: one } = bank();
    const asked: unknown[] = [];
    const local = startLocal(one, {
      people: ({ input, always }) => {
        asked.push(input);
        if (asked.length > 1) return denied;
        expect(always?.[1]?.about).toBe("with the same to, amount up to 500");
        return { ...approve, always: { rule: 1, usesMax: 2 } };
      },
    });
    const calls: readonly (readonly [to: string, amount: number, isPaid: boolean, asks: number])[] = [
      ["b", 500, true, 1],
      ["b", 501, false, 2],
      ["c", 500, false, 3],
      ["b", 400, true, 3],
      ["b", 500, true, 3],
      ["b", 300, false, 4],
    ];
    for (const [to, amount, isPaid, asks] of calls) {
      const { output } = await local.run("main", [{ to, amount }]);
      expect([output, asked.length]).toEqual([[isPaid ? `${amount} to ${to}` : expect.stringContaining("denied")], asks]);
    }
    await local.stop();
    expect(made.paid).toHaveLength(3);
  });

  test("covers each of several parallel calls once", async () => {
    const { made, bank: one } = bank();
    let asked = 0;
    const local = startLocal(one, {
      people: () => ((asked += 1) === 1 ? { ...approve, always: { rule: 0, usesMax: 2 } } : denied),
    });
    await local.run("main", [{ to: "b", amount: 500 }]);
    const { output } = await local.run(
      "main",
      Array.from({ length: 4 }, () => ({ to: "b", amount: 500 })),
    );
    await local.stop();
    expect((output as string[]).filter((text) => text === "500 to b")).toHaveLength(2);
    expect([asked, made.paid.length]).toEqual([3, 3]);
  });
});

describe("a model", () => {
  const Doer = contract("Doer", 1, { input: z.string(), output: z.string() });
  async function told(decision: LocalDecision): Promise<readonly string[]> {
    const texts: string[] = [];
    const pay = tool("pay", {
      input: Payment,
      output: z.string(),
      effect: "write",
      approve: "true",
      run: ({ amount }) => `paid ${amount}`,
    });
    const doer = agent(Doer, model({ instructions: "Pay.", tools: [pay] }));
    const main = route("main", 1, z.string())
      .to("doer", Doer, ({ task }) => task)
      .output(({ doer: done }) => done);
    const fast = fakeModel(({ messages }, count) => {
      if (count === 1) return { calls: [{ name: "pay", arguments: { to: "b", amount: 9 } }] };
      texts.push(...messages.filter(({ role }) => role === "tool").map(({ text }) => text));
      return "done";
    });
    const one = system("sys", { agents: [doer], routes: [main], models: { fast } });
    expect(await runLocal(one, "main", "go", { people: () => decision })).toMatchObject({ status: "completed", output: "done" });
    return texts;
  }

  test("is told what a person changed, that it is settled, and the result", async () => {
    const [text = ""] = await told({ do: "edit", input: { to: "b", amount: 4 }, reason: "less" });
    expect(text).toContain('A person changed the input of this call from {"amount":9,"to":"b"} to {"amount":4,"to":"b"}. Reason: less');
    expect(text).toMatch(/settled.*Do not make the original call again.*paid 4/s);
  });

  test("is told of a denial with its reason, and goes on", async () => {
    const [text = ""] = await told({ do: "deny", reason: "unknown payee" });
    expect(text).toMatch(/person\.denied.*unknown payee.*settled: do not make this call again/s);
  });
});
