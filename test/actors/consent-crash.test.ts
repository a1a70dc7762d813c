/**
 * @module A call that waits for a person, while its host dies before or after each of its writes: it is asked about once, decided once, and
 * made under exactly the arguments that the person let through.
 */
import { describe, expect, test } from "vitest";
import { z } from "zod";
import { agent, contract, route, system, type System, tool } from "../../agents/index.ts";
import { MemoryStore } from "../../actors/memory/store.ts";
import type { InsertResult } from "../../actors/engine/ports.ts";
import type { Decision } from "../../actors/operations/operations.ts";
import { isFault } from "../../runtime/faults.ts";
import type { ProcessView } from "../../runtime/process-view.ts";
import { flush } from "./engine-rig.ts";
import { CALLER, World } from "./world-rig.ts";

const Payment = z.strictObject({ to: z.string(), amount: z.int() });
const Payer = contract("Payer", 1, { input: z.array(Payment), output: z.array(z.string()) });

interface Paid {
  readonly to: string;
  readonly amount: number;
  readonly key: string;
}

function bank(paid: Paid[]): System {
  const pay = tool("pay", {
    input: Payment,
    output: z.string(),
    effect: "write",
    approve: "true",
    run: ({ to, amount }, { idempotencyKey }) => {
      paid.push({ to, amount, key: idempotencyKey });
      return `${amount} to ${to}`;
    },
    undo: () => {},
  });
  const payer = agent(Payer, {
    tools: [pay],
    handle: (payments, ctx) =>
      Promise.all(payments.map((one) => ctx.call(pay, one).catch((error: unknown) => (isFault(error) ? error.code : "?")))),
  });
  const main = route("main", 1, z.array(Payment))
    .to("payer", Payer, ({ task }) => task)
    .output(({ payer: done }) => done);
  return system("sys", { agents: [payer], routes: [main] });
}

/** A store whose host dies at a write: before it, or when it was written and the host has not heard so. */
class DeadlyStore extends MemoryStore {
  writes = 0;
  die: (() => void) | undefined;
  readonly #at: number;
  readonly #isWritten: boolean;

  constructor(at: number, isWritten: boolean) {
    super();
    this.#at = at;
    this.#isWritten = isWritten;
  }

  override async insert(key: string, text: string): Promise<InsertResult> {
    this.writes += 1;
    if (this.writes !== this.#at) return super.insert(key, text);
    if (!this.#isWritten) {
      this.die?.();
      return "unknown";
    }
    const result = await super.insert(key, text);
    this.die?.();
    return result;
  }
}

interface Ended {
  readonly outcome: unknown;
  readonly paid: readonly Paid[];
  readonly requests: readonly RequestLine[];
  readonly rules: number | undefined;
  readonly writes: number;
}

type RequestLine = NonNullable<ProcessView["requests"]>[number];
type Decide = (request: RequestLine, input: unknown) => Decision;

/** What is answered within some turns of the event loop. A call that a dying host has begun is never answered. */
function soon<T>(call: Promise<T>): Promise<T | undefined> {
  return Promise.race([call.catch(() => undefined), flush(50).then(() => undefined)]);
}

/** Runs a task on two hosts, of which the first dies at a write. A person decides on each request as soon as it is seen. */
async function runThrough(at: number, isWritten: boolean, payments: readonly z.infer<typeof Payment>[], decide: Decide): Promise<Ended> {
  const paid: Paid[] = [];
  const store = new DeadlyStore(at, isWritten);
  const world = new World(store);
  const first = world.join(bank(paid), "one");
  const second = world.join(bank(paid), "two");
  store.die = () => first.kill();
  const submit = (): void => void second.operations.submit({ id: "p", route: "main", input: payments }, CALLER, 0).catch(() => {});
  submit();
  for (let passed = 0; passed < 600_000; passed += 500) {
    await flush(20);
    const view = await soon(second.operations.process("p"));
    // The receipt may not have come, so the client submits again.
    if (view === undefined) submit();
    else if (view.outcome !== undefined) {
      const rules = await soon(second.operations.rules(true, CALLER));
      return { outcome: view.outcome, paid, requests: view.requests ?? [], rules: rules?.entries.length, writes: store.writes };
    } else
      for (const line of view.requests?.filter(({ state }) => state === "open") ?? []) {
        const shown = await soon(second.operations.request(line.id));
        if (shown !== undefined) await soon(second.operations.decide(line.id, decide(line, shown.input), CALLER));
      }
    await world.clock.advance(500);
  }
  throw new Error(`a death at write ${at} was not survived`);
}

/** Runs a case once without a death, and then with a death before and after each write. */
async function atEachWrite(
  payments: readonly z.infer<typeof Payment>[],
  decide: Decide,
  check: (ended: Ended, about: string) => void,
): Promise<number> {
  const whole = await runThrough(0, false, payments, decide);
  check(whole, "no death");
  for (let at = 1; at <= whole.writes; at += 1)
    for (const isWritten of [false, true])
      check(await runThrough(at, isWritten, payments, decide), `death ${isWritten ? "after" : "before"} write ${at}`);
  return whole.writes;
}

describe("a host that dies at any write of a consent", () => {
  test("leaves one request and one decision, and the call is made with the edited input under one key", { timeout: 60_000 }, async () => {
    const keys = new Set<string>();
    const writes = await atEachWrite(
      [{ to: "b", amount: 500 }],
      ({ hash }) => ({ do: "edit", hash, input: { to: "b", amount: 300 } }),
      ({ outcome, paid, requests }, about) => {
        expect(outcome, about).toMatchObject({ status: "completed", output: ["300 to b"] });
        expect(
          requests.map(({ state }) => state),
          about,
        ).toEqual(["edited"]);
        expect(paid.length, about).toBeGreaterThan(0);
        for (const { to, amount, key } of paid) {
          expect([to, amount], about).toEqual(["b", 300]);
          keys.add(key);
        }
      },
    );
    expect(keys.size).toBe(1);
    expect(writes).toBeGreaterThan(8);
  });

  test("runs no call but the approved one of two, and makes the standing rule once", { timeout: 60_000 }, async () => {
    await atEachWrite(
      [
        { to: "b", amount: 500 },
        { to: "c", amount: 7 },
      ],
      ({ hash }, input) =>
        Payment.parse(input).to === "b" ? { do: "approve", hash, always: { rule: 0 } } : { do: "deny", hash, reason: "unknown payee" },
      ({ outcome, paid, requests, rules }, about) => {
        expect(outcome, about).toMatchObject({ status: "completed", output: ["500 to b", "person.denied"] });
        expect(requests.map(({ state }) => state).toSorted(), about).toEqual(["approved", "denied"]);
        expect(new Set(paid.map(({ to }) => to)), about).toEqual(new Set(["b"]));
        expect(rules, about).toBe(1);
      },
    );
  });
});
