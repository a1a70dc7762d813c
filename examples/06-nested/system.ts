/** @module An order of several parcels: each parcel runs a route of its own as a nested process, at most two at a time. */
import { agent, contract, Fault, route, system, tool } from "troupe";
import { z } from "zod";
import { pack, printLabel, takeLabelBack } from "./bench.ts";

const TEXT_CHARS_MAX = 200;
const ITEMS_MAX = 50;
const PARCELS_MAX = 100;
const PARCEL_GRAMS_MAX = 20_000;
const PARCELS_AT_ONCE_MAX = 2;

const Text = z.string().min(1).max(TEXT_CHARS_MAX);
const Item = z.object({ name: Text, grams: z.int().min(1) });
const Parcel = z.object({ to: Text, items: z.array(Item).min(1).max(ITEMS_MAX) });
const Order = z.object({ customer: Text, to: Text, parcels: z.array(z.array(Item).min(1).max(ITEMS_MAX)).min(1).max(PARCELS_MAX) });
const Packed = z.object({ grams: z.int() });
const Label = z.object({ label: Text, grams: z.int() });

const Packer = contract("Packer", 1, { input: Parcel, output: Packed });
const Labeller = contract("Labeller", 1, { input: z.object({ to: Text, grams: z.int() }), output: z.object({ label: Text }) });
const Clerk = contract("Clerk", 1, { input: z.object({ customer: Text, parcels: z.array(Label) }), output: z.object({ note: Text }) });

const packer = agent(Packer, {
  handle: async ({ items }, ctx) => {
    const grams = await pack(items, ctx.signal);
    if (grams > PARCEL_GRAMS_MAX)
      throw new Fault("agent.refused", `a parcel of ${grams} g is too heavy; at most ${PARCEL_GRAMS_MAX} g are allowed`);
    return { grams };
  },
});
const print = tool("print", {
  effect: "write",
  input: z.object({ to: Text }),
  output: Text,
  run: ({ to }, call) => printLabel(call.idempotencyKey, to),
  undo: (_input, _label, call) => takeLabelBack(call.idempotencyKey),
});
const labeller = agent(Labeller, {
  tools: [print],
  handle: async ({ to }, ctx) => ({ label: await ctx.call(print, { to }) }),
});
const clerk = agent(Clerk, {
  handle: ({ customer, parcels }) => ({
    note: `${parcels.length} parcels for ${customer}, ${parcels.reduce((sum, { grams }) => sum + grams, 0)} g`,
  }),
});

/** One parcel. Its process has its own journal, deadline and outcome. */
const parcel = route("parcel", 1, Parcel)
  .to("packed", Packer, ({ task }) => task)
  .to("labelled", Labeller, ({ task, packed }) => ({ to: task.to, grams: packed.grams }))
  .output(({ packed, labelled }) => ({ label: labelled.label, grams: packed.grams }));

const order = route("order", 1, Order)
  .forEach(
    "parcels",
    ({ task }) => task.parcels,
    (stop) => stop(parcel, ({ task, item }) => ({ to: task.to, items: item })),
    { concurrency: PARCELS_AT_ONCE_MAX },
  )
  .to("clerk", Clerk, ({ task, parcels }) => ({ customer: task.customer, parcels }))
  .output(({ parcels, clerk }) => ({ parcels, note: clerk.note }));

export default system("parcels", { agents: [packer, labeller, clerk], routes: [parcel, order] });
