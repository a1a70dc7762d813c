/**
 * @module The simulated world and a real daprd must give the same answers. Intentional differences are asserted on both sides and listed
 * in docs/simulation.md; faulty fakes are detected.
 */
import { readFile } from "node:fs/promises";
import { isDeepStrictEqual } from "node:util";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { findDapr, findRedis } from "../../cli/dapr/index.ts";
import { expected, ROOMS, runsIn } from "./world-case.ts";
import { CASES } from "./world-cases.ts";
import { DaprdRig, DaprGround } from "./world-daprd.ts";
import { LIARS } from "./world-liars.ts";
import { casesOf, Play, play } from "./world-play.ts";
import { WORLDS, type WorldName } from "./world-rig.ts";
import { SimulatedRig } from "./world-simulated.ts";

const START_MS = 60_000;
/** The cases of a world are played from its start, so the last one waits for all others. */
const WAIT_MS = 120_000;
const SAME_MIN = 40;
const TABLE = /^## Differences from daprd$([\s\S]*?)(?=^## |$(?![\s\S]))/m;

const binaries = await findDapr();
const redis = await findRedis();
const plays = new Map<WorldName, Play>();
const ends: (() => Promise<void>)[] = [];

/** Why a world cannot be tested on this machine, or undefined. */
function missing(world: WorldName): string | undefined {
  if (world !== "simulated" && binaries === undefined) return "no Dapr programs (troupe doctor)";
  return world === "redis" && redis === undefined ? "no redis-server" : undefined;
}

const able = WORLDS.filter((world) => missing(world) === undefined || process.env["CI"] !== undefined);
for (const world of WORLDS) if (!able.includes(world)) process.stdout.write(`skip: the ${world} world: ${missing(world)}\n`);

async function begin(world: WorldName): Promise<void> {
  if (world === "simulated") {
    plays.set(world, new Play(world, () => new SimulatedRig()));
    return;
  }
  if (binaries === undefined) throw new Error(`CI must test every world: ${missing(world)}`);
  const ground = await DaprGround.start(binaries, world === "redis");
  ends.push(() => ground.stop());
  const rig = await DaprdRig.start(ground, world);
  ends.push(() => rig.stop());
  plays.set(world, new Play(world, () => rig));
}

beforeAll(async () => {
  await Promise.all(able.map(begin));
}, START_MS);

afterAll(async () => {
  await Promise.all([...plays.values()].map(({ ended }) => ended));
  for (const end of ends.toReversed()) await end();
}, WAIT_MS);

for (const world of able) {
  describe(`the ${world} world`, () => {
    for (const { room, one } of casesOf(world)) {
      test(`${room}: ${one.name}`, { timeout: WAIT_MS }, async () => {
        const played = await plays.get(world)?.of(one);
        if (played !== undefined && "error" in played) throw played.error;
        expect(played?.answer).toEqual(expected(one, world));
      });
    }
  });
}

describe("liars", () => {
  for (const { room, what, lie } of LIARS) {
    test(`${room}: ${what} is detected`, async () => {
      const found: string[] = [];
      for (const one of CASES[room]) {
        const played = await play(one, new SimulatedRig(lie));
        if ("error" in played || !isDeepStrictEqual(played.answer, expected(one, "simulated"))) found.push(one.name);
      }
      expect(found).not.toEqual([]);
    });
  }

  test("every room has a faulty fake", () => {
    expect(ROOMS.filter((room) => !LIARS.some((liar) => liar.room === room))).toEqual([]);
  });
});

test("the differences are those of docs/simulation.md, and enough answers are the same", async () => {
  const all = ROOMS.flatMap((room) => CASES[room].map((one) => ({ room, one })));
  const differing = all.flatMap(({ one }) => (one.differs === undefined ? [] : [one.differs.row]));
  const table = TABLE.exec(await readFile(new URL("../../docs/simulation.md", import.meta.url), "utf8"))?.[1] ?? "";
  const rows = [...table.matchAll(/^\| \*\*(.+?)\*\* \|/gm)].map((row) => row[1]);
  expect(rows.toSorted()).toEqual([...new Set(differing)].toSorted());
  const onDaprd = all.filter(
    ({ room, one }) => runsIn(room, one, "simulated") && (runsIn(room, one, "embedded") || runsIn(room, one, "redis")),
  );
  const same = onDaprd.filter(({ one }) => one.differs === undefined).length;
  expect(same).toBeGreaterThanOrEqual(SAME_MIN);
  const counts = ROOMS.map((room) => `${room} ${CASES[room].length}`).join(", ");
  process.stdout.write(
    `world conformance: ${all.length} cases (${counts}); ${same} same answers, ${all.length - same} that ` +
      `differ on purpose in ${rows.length} ways; ` +
      `${able.map((world) => `${world} ${casesOf(world).length}`).join(", ")}\n`,
  );
});
