/** @module The options of `npm run bench`. */
import { parseArgs } from "node:util";
import { IDS, type Ids } from "./targets/target.ts";
import { type Work, WORKS } from "./system.ts";
import { OUR_PROFILES, type OurProfile } from "./targets/troupe.ts";

/** Restate with its defaults, and without fsync; dapr-agents, which only does `--work model`. */
const PEERS = ["restate", "restate-nofsync", "dapr-agents"] as const;
export type PeerName = (typeof PEERS)[number];

export interface BenchOptions {
  /** Measured seconds of each side at each number of callers, over all rounds. */
  readonly seconds: number;
  /** Number of rounds that these seconds are divided into; the sides take turns. */
  readonly rounds: number;
  /** Seconds of load before the first round, for compilers and caches. */
  readonly warmUp: number;
  readonly profiles: readonly OurProfile[];
  readonly callers: readonly number[];
  readonly peers: readonly PeerName[];
  readonly ids: Ids;
  /** The work of the agents on both sides. */
  readonly work: Work;
  /**
   * The file for the figures.
   * @default bench/results/<date>.json
   */
  readonly out: string | undefined;
}

export const USAGE = `npm run bench -- [--seconds 12] [--rounds 4] [--warm-up 15] [--callers 1,32]
  [--profiles ${OUR_PROFILES.join(",")}] [--peers ${PEERS.join(",")}|none]
  [--work ${WORKS.join("|")}] [--ids made|given] [--out FILE]
  --seconds is for each side at each number of callers; --peers is "restate" unless told otherwise.
  Where our time goes: node bench/profile.ts [--profile P] [--callers 1,32] [--seconds 8] [--cpu]; what a call costs: node bench/calls.ts;
  pages of listings: node bench/listing.ts; many items: node bench/fan-out.ts;
  one key for years: node bench/hot-key.ts, node bench/memory-years.ts;
  what waits: node bench/waiting.ts, node bench/waiting-models.ts, node bench/waiting-people.ts;
  two hosts: node bench/two-hosts.ts;
  what a change is worth: node bench/versus.ts --with OTHER_CHECKOUT`;

const SECONDS_MAX = 600;
const ROUNDS_MAX = 60;
const CALLERS_MAX = 1_024;

/** Parses the arguments. Throws with a readable sentence for a wrong argument. */
export function benchOptions(args: readonly string[]): BenchOptions {
  const { values } = parseArgs({
    args: [...args],
    options: {
      seconds: { type: "string", default: "12" },
      rounds: { type: "string", default: "4" },
      "warm-up": { type: "string", default: "15" },
      callers: { type: "string", default: "1,32" },
      profiles: { type: "string", default: OUR_PROFILES.join(",") },
      peers: { type: "string", default: "restate" },
      ids: { type: "string", default: "made" },
      work: { type: "string", default: "step" },
      out: { type: "string" },
    },
  });
  const work = oneOf(WORKS, values.work, "--work");
  const peers = values.peers === "none" ? [] : list(values.peers).map((name) => oneOf(PEERS, name, "--peers"));
  if (peers.includes("dapr-agents") && work !== "model") throw new Error("--peers dapr-agents needs --work model");
  return {
    seconds: whole(values.seconds, "--seconds", SECONDS_MAX),
    rounds: whole(values.rounds, "--rounds", ROUNDS_MAX),
    warmUp: whole(values["warm-up"], "--warm-up", SECONDS_MAX),
    callers: list(values.callers).map((text) => whole(text, "--callers", CALLERS_MAX)),
    profiles: list(values.profiles).map((name) => oneOf(OUR_PROFILES, name, "--profiles")),
    peers,
    ids: oneOf(IDS, values.ids, "--ids"),
    work,
    out: values.out,
  };
}

export function list(text: string): readonly string[] {
  return text
    .split(",")
    .map((item) => item.trim())
    .filter((item) => item !== "");
}

export function whole(text: string, option: string, max: number): number {
  const value = Number(text);
  if (!Number.isInteger(value) || value < 1 || value > max) throw new Error(`${option} takes whole numbers from 1 to ${max}, not ${text}`);
  return value;
}

export function oneOf<T extends string>(names: readonly T[], name: string, option: string): T {
  const found = names.find((item) => item === name);
  if (found === undefined) throw new Error(`${option} takes ${names.join(", ")}, not ${name}`);
  return found;
}
