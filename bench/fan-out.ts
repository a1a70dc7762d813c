/**
 * @module What an item of a `forEach` costs when there are many, over real daprd: `node bench/fan-out.ts [--items 500,10000]
 * [--profile embedded --profile redis-everysec]`. Prints milliseconds an item and the memory of the app, and fails above the bars.
 */
import { setTimeout as sleep } from "node:timers/promises";
import { parseArgs } from "node:util";
import { z } from "zod";
import { type DaprBinaries, ensureDapr } from "../cli/dapr/index.ts";
import { Bed } from "./bed.ts";
import { list, oneOf, whole } from "./options.ts";
import { residentMib } from "./proc.ts";
import { median, rounded } from "./stats.ts";
import { OUR_PROFILES, type OurProfile, startTroupe, type TroupeTarget } from "./targets/troupe.ts";

/** Time an item with the most items, against that with the fewest. */
const RATIO_MAX = 1.3;
/** Memory of the app. */
const RESIDENT_MIB_MAX = 600;
const ITEMS_MAX = 10_000;
/** Small runs are repeated until they have made so many items; the median counts. */
const ITEMS_MEASURED_MIN = 1_500;
const WARM_UP_ITEMS = 500;
const RUN_MS_MAX = 1_200_000;
const POLL_MS = 200;

const Receipt = z.object({ id: z.string() });
const View = z.object({
  phase: z.string(),
  acceptedAtMs: z.number(),
  outcome: z.object({ status: z.string(), atMs: z.number(), output: z.array(z.number()).optional() }).optional(),
});

interface Fan {
  /** From the receipt's record to the outcome's, by the clock of the process. */
  readonly msPerItem: number;
  readonly residentMib: number;
}

/** Submits a task of so many items, waits for its end, and checks its output. */
async function fanOut({ scenario, app }: TroupeTarget, count: number): Promise<Fan> {
  const input = Array.from({ length: count }, (_, index) => index);
  const answer = await fetch(`${scenario.origin}/tasks`, {
    method: "POST",
    body: JSON.stringify({ route: "fan", input }),
    headers: { "content-type": "application/json" },
  });
  const { id } = Receipt.parse(await answer.json());
  let most = 0;
  for (;;) {
    await sleep(POLL_MS);
    most = Math.max(most, residentMib(app.pid));
    const view = View.parse(await (await fetch(`${scenario.origin}/processes/${id}`)).json());
    if (view.outcome === undefined) continue;
    const { status, atMs, output } = view.outcome;
    if (status !== "completed" || output?.length !== count || !output.every((item, index) => item === index + 1))
      throw new Error(`${count} items ended ${status} with ${output?.length ?? "no"} outputs`);
    return { msPerItem: (atMs - view.acceptedAtMs) / count, residentMib: most };
  }
}

async function measureProfile(bed: Bed, binaries: DaprBinaries, profile: OurProfile, counts: readonly number[]): Promise<string[]> {
  const place = await bed.place();
  const target = await bed.hold(startTroupe({ ...place, binaries, profile, ids: "made" }));
  await fanOut(target, WARM_UP_ITEMS);
  const times: number[] = [];
  let most = 0;
  for (const count of counts) {
    const fans: Fan[] = [];
    while (fans.length * count < ITEMS_MEASURED_MIN) fans.push(await fanOut(target, count));
    const ms = median(fans.map(({ msPerItem }) => msPerItem));
    times.push(ms);
    most = Math.max(most, ...fans.map((fan) => fan.residentMib));
    console.log(`${profile}: ${count} items, ${rounded(ms)} ms an item (${fans.length} runs), app ${Math.round(most)} MiB`);
  }
  await bed.stopTargets();
  const ratio = (times.at(-1) ?? Number.NaN) / (times[0] ?? Number.NaN);
  console.log(
    `${profile}: ratio ${rounded(ratio)}, the bar is ${RATIO_MAX}; memory ${Math.round(most)} MiB, the bar is ${RESIDENT_MIB_MAX}`,
  );
  return [
    ...(ratio > RATIO_MAX ? [`${profile}: an item costs ${rounded(ratio)} times as much`] : []),
    ...(most > RESIDENT_MIB_MAX ? [`${profile}: the app took ${Math.round(most)} MiB`] : []),
  ];
}

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      items: { type: "string", default: "500,10000" },
      profile: { type: "string", multiple: true, default: ["embedded", "redis-everysec"] },
    },
  });
  const counts = list(values.items).map((text) => whole(text, "--items", ITEMS_MAX));
  const profiles = values.profile.map((name) => oneOf(OUR_PROFILES, name, "--profile"));
  const binaries = await ensureDapr((line) => console.log(line));
  const bed = await Bed.make();
  await bed.run(RUN_MS_MAX, async () => {
    const missed: string[] = [];
    for (const profile of profiles) missed.push(...(await measureProfile(bed, binaries, profile, counts)));
    if (missed.length > 0) throw new Error(missed.join("; "));
  });
}

await main();
