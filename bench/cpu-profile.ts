/** @module Reads a V8 CPU profile: where a Node process spent its time, by package and by function. */
import { readFile } from "node:fs/promises";
import { z } from "zod";

const Profile = z.object({
  nodes: z.array(
    z.object({
      id: z.int(),
      callFrame: z.object({ functionName: z.string(), url: z.string(), lineNumber: z.int() }),
      children: z.array(z.int()).optional(),
    }),
  ),
  samples: z.array(z.int()),
  timeDeltas: z.array(z.number()),
});
type ProfileNode = z.infer<typeof Profile>["nodes"][number];

export interface Share {
  readonly name: string;
  readonly ms: number;
}

export interface CpuProfile {
  /** Busy time of the main thread: everything but idle. */
  readonly busyMs: number;
  /** Own time of packages, of our folders, and of Node. */
  readonly byPackage: readonly Share[];
  /** Own time of single functions. */
  readonly self: readonly Share[];
  /** Time of our functions with everything they call (synchronously). */
  readonly inclusive: readonly Share[];
}

const IDLE = new Set(["(idle)", "(root)"]);
const US_PER_MS = 1_000;

/** Only samples after `skipShare` of the profile's time count, since the start is compilation. */
export async function readCpuProfile(file: string, rootDir: string, skipShare: number): Promise<CpuProfile> {
  const { nodes, samples, timeDeltas } = Profile.parse(JSON.parse(await readFile(file, "utf8")));
  const byId = new Map(nodes.map((node) => [node.id, node]));
  const parents = new Map(nodes.flatMap((node) => (node.children ?? []).map((child) => [child, node] as const)));
  const self = selfMs(samples, timeDeltas, skipShare);
  const packages = new Map<string, number>();
  const functions = new Map<string, number>();
  const inclusive = new Map<string, number>();
  let busyMs = 0;
  for (const [id, ms] of self) {
    const node = byId.get(id);
    if (node === undefined || IDLE.has(node.callFrame.functionName)) continue;
    busyMs += ms;
    add(packages, packageOf(node, rootDir), ms);
    add(functions, functionOf(node, rootDir), ms);
    for (const name of oursAbove(node, parents, rootDir)) add(inclusive, name, ms);
  }
  return { busyMs, byPackage: sorted(packages), self: sorted(functions), inclusive: sorted(inclusive) };
}

function selfMs(samples: readonly number[], deltas: readonly number[], skipShare: number): ReadonlyMap<number, number> {
  const total = deltas.reduce((sum, delta) => sum + delta, 0);
  const self = new Map<number, number>();
  let atUs = 0;
  for (const [index, id] of samples.entries()) {
    // A delta is the time before its sample, so the time of a sample is the next delta.
    const delta = deltas[index + 1] ?? 0;
    atUs += deltas[index] ?? 0;
    if (atUs >= total * skipShare) self.set(id, (self.get(id) ?? 0) + delta / US_PER_MS);
  }
  return self;
}

/** Our functions on the stack of a node, each once. */
function oursAbove(node: ProfileNode, parents: ReadonlyMap<number, ProfileNode>, rootDir: string): ReadonlySet<string> {
  const names = new Set<string>();
  for (let at: ProfileNode | undefined = node; at !== undefined; at = parents.get(at.id)) {
    if (at.callFrame.url.includes(rootDir) && !at.callFrame.url.includes("node_modules")) names.add(functionOf(at, rootDir));
  }
  return names;
}

function packageOf({ callFrame: { url, functionName } }: ProfileNode, rootDir: string): string {
  const inPackage = /.*node_modules\/((?:@[^/]+\/)?[^/]+)/.exec(url)?.[1];
  if (inPackage !== undefined) return inPackage;
  if (url.includes(rootDir))
    return (
      url
        .slice(url.indexOf(rootDir) + rootDir.length)
        .split("/")
        .slice(0, -1)
        .join("/") || "(root)"
    );
  if (url.startsWith("node:")) return `node: ${url.split("/").slice(0, 2).join("/").slice("node:".length)}`;
  return functionName.startsWith("(") ? functionName : "native";
}

function functionOf({ callFrame: { url, functionName, lineNumber } }: ProfileNode, rootDir: string): string {
  const file = url.includes(rootDir) ? url.slice(url.indexOf(rootDir) + rootDir.length) : url;
  return url === "" ? functionName : `${functionName || "(anonymous)"} ${file.replace(/.*node_modules\//, "")}:${lineNumber + 1}`;
}

function add(sums: Map<string, number>, name: string, ms: number): void {
  sums.set(name, (sums.get(name) ?? 0) + ms);
}

function sorted(sums: ReadonlyMap<string, number>): readonly Share[] {
  return [...sums].map(([name, ms]) => ({ name, ms })).sort((a, b) => b.ms - a.ms);
}
