/**
 * @module Model agents that must not compile, and exact types. Checked by `tsc`; this file does not run.
 */
import { z } from "zod";
import { agent, contract, model, tool } from "../../agents/index.ts";

type Equal<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false;
function same<A, B>(_equal: Equal<A, B>): void {}

const Claim = z.object({ orderId: z.string() });
const Done = z.object({ note: z.string() });
const Refunds = contract("Refunds", 1, { input: Claim, output: Done });
const Support = contract("Support", 1, { input: Claim, output: Done });
const Other = contract("Other", 1, { input: Claim, output: z.object({ count: z.number() }) });
const refund = tool("refund", { input: Claim, output: z.string(), effect: "write", run: () => "r" });

export function modelAgents(): void {
  agent(Refunds, model({ instructions: "Refund." }));
  agent(
    Refunds,
    model({
      instructions: (input) => {
        same<typeof input, { orderId: string }>(true);
        return input.orderId;
      },
      tools: [refund],
      asks: [Other],
      handsOffTo: [Support],
      onGiveUp: { handOff: Support },
      check: (output, input) => {
        same<typeof output, { note: string }>(true);
        same<typeof input, { orderId: string }>(true);
        return [];
      },
      undo: (input, output) => {
        same<typeof input, { orderId: string }>(true);
        same<typeof output, { note: string } | undefined>(true);
      },
    }),
  );
  agent(
    Refunds,
    model({
      instructions: "Refund.",
      state: { schema: z.object({ n: z.number() }), initial: { n: 0 } },
      undo: (_input, _output, ctx) => {
        same<typeof ctx.state, { readonly n: number }>(true);
      },
    }),
  );
}

export function wrongModelAgents(): void {
  // @ts-expect-error the instructions are missing
  agent(Refunds, model({ tools: [refund] }));
  // @ts-expect-error there is no such option
  agent(Refunds, model({ instructions: "Refund.", tokens: 5 }));
  // @ts-expect-error instructions are a text
  agent(Refunds, model({ instructions: (input) => input }));
  // @ts-expect-error a model agent has no handler
  agent(Refunds, model({ instructions: "Refund.", handle: () => ({ note: "" }) }));
  // @ts-expect-error tools are not contracts
  agent(Refunds, model({ instructions: "Refund.", tools: [Other] }));
  // @ts-expect-error the output of Other does not fit
  agent(Refunds, model({ instructions: "Refund.", handsOffTo: [Other] }));
  // @ts-expect-error there is no such rung
  agent(Refunds, model({ instructions: "Refund.", repair: ["pray"] }));
}
