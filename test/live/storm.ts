/** @module A storm: bursts of tasks, each followed by the `kill -9` of one part, which restarts at once, or by its freezing for a while. */
import { setTimeout as sleep } from "node:timers/promises";
import { SHELVES } from "./booking.ts";
import type { TaskOrder } from "./client.ts";
import type { LiveHost } from "./host.ts";
import { phaseOf, type Phase } from "./gauge.ts";
import type { World } from "./world.ts";

const PARTS = ["app", "daprd", "placement", "scheduler", "store"] as const;
export type PartName = (typeof PARTS)[number];

export interface StormOptions {
  readonly kills: number;
  readonly processes: number;
  readonly random: () => number;
  /** Share of the blows that freeze the part instead, 0 to 1. Default 0. */
  readonly freezes?: number;
  /** Called after each kill. */
  readonly progress?: (kill: Kill, count: number) => void;
}

export interface Kill {
  readonly part: PartName;
  readonly frozen: boolean;
  readonly phase: Phase;
  /** An outside effect was open at the ledger. */
  readonly effectOpen: boolean;
  readonly turnOpen: boolean;
}

export interface StormResult {
  /** The tasks that have a receipt. */
  readonly orders: readonly TaskOrder[];
  /** Why the others have none. Nothing is guaranteed for them, but there should be none. */
  readonly notAccepted: readonly string[];
  readonly kills: readonly Kill[];
}

/** Milliseconds between two kills: minimum, and the random addition. */
const PAUSE_MS_MIN = 1_000;
const PAUSE_MS_MORE = 500;
/** Maximum time between a task and a kill, so that the kill happens while the task runs. */
const STRIKE_MS_MAX = 90;
const START_TRIES = 5;
const BACK_POLL_MS = 50;
/** How long a part is frozen: minimum, and the random addition. Longer than a host's lease stands. */
const FROZEN_MS_MIN = 500;
const FROZEN_MS_MORE = 7_500;
/** How long a careful caller retries without a receipt. */
const ACCEPT_MS = 600_000;
const REFUSED_SHARE = 0.25;

/** How often each part is killed: control plane and store about a tenth each, so that 120 kills have 10 of each. */
const DECK: readonly PartName[] = ["app", "app", "app", "app", "daprd", "daprd", "daprd", "placement", "scheduler", "store"];

export async function storm(world: World, { kills, processes, random, freezes = 0, progress }: StormOptions): Promise<StormResult> {
  const orders: TaskOrder[] = [];
  const submissions: Promise<string | undefined>[] = [];
  const struck: Kill[] = [];
  const comingBack = new Set<PartName>();
  const prefix = Math.floor(random() * 36 ** 5).toString(36);
  let deck: PartName[] = [];
  for (let round = 0; round < kills; round += 1) {
    const due = Math.ceil((processes * (round + 1)) / kills) - orders.length;
    for (let index = 0; index < due; index += 1) {
      const n = orders.length;
      const order = {
        id: `${prefix}-${n}`,
        route: "party",
        input: { n, shelf: `s${Math.floor(random() * SHELVES)}`, refuse: random() < REFUSED_SHARE },
      };
      orders.push(order);
      submissions.push(world.client.submit(order, Date.now() + ACCEPT_MS).then(() => undefined, String));
      await sleep(random() * STRIKE_MS_MAX);
    }
    if (deck.length === 0)
      deck = DECK.filter((part) => part !== "store" || world.store !== undefined)
        .map((part) => [random(), part] as const)
        .sort(([a], [b]) => a - b)
        .map(([, part]) => part);
    const at = Math.max(
      0,
      deck.findIndex((part) => !comingBack.has(part)),
    );
    const [part = "app"] = deck.splice(at, 1);
    const host = world.hosts[Math.floor(random() * world.hosts.length)] ?? world.host;
    const frozenMs = random() < freezes ? FROZEN_MS_MIN + random() * FROZEN_MS_MORE : 0;
    const kill = await strike({ world, host, part, frozenMs }, comingBack);
    struck.push(kill);
    progress?.(kill, struck.length);
    // On a busy machine the app takes long to start; it must be killed during its work, not before.
    while (comingBack.has("app")) await sleep(BACK_POLL_MS);
    await sleep(PAUSE_MS_MIN + random() * PAUSE_MS_MORE);
  }
  const answers = await Promise.all(submissions);
  while (comingBack.size > 0) await sleep(BACK_POLL_MS);
  return {
    orders: orders.filter((_order, index) => answers[index] === undefined),
    notAccepted: answers.filter((answer) => answer !== undefined),
    kills: struck,
  };
}

/** What is struck: a part, of that host if it is one of a host. `frozenMs` above 0: it is frozen for that time, not killed. */
interface Blow {
  readonly world: World;
  readonly host: LiveHost;
  readonly part: PartName;
  readonly frozenMs: number;
}

async function strike(blow: Blow, comingBack: Set<PartName>): Promise<Kill> {
  const { world, host, part, frozenMs } = blow;
  while (comingBack.has(part)) await sleep(BACK_POLL_MS);
  const effectOpen = world.ledger.open > 0;
  const before = host.gauges();
  const dead = frozenMs > 0 ? Promise.resolve() : killPart(blow);
  const gauges = part === "app" ? await dead.then(() => host.gauges()) : before;
  await dead;
  comingBack.add(part);
  void (frozenMs > 0 ? freeze(blow) : startAgain(blow)).finally(() => comingBack.delete(part));
  return {
    part,
    frozen: frozenMs > 0,
    phase: phaseOf({ ...gauges, effect: effectOpen ? 1 : gauges.effect }),
    effectOpen: effectOpen || gauges.effect > 0,
    turnOpen: gauges.turn > 0,
  };
}

async function freeze(blow: Blow): Promise<void> {
  const pid = pidOf(blow);
  if (pid === undefined || pid === 0) return;
  process.kill(pid, "SIGSTOP");
  await sleep(blow.frozenMs);
  process.kill(pid, "SIGCONT");
}

function pidOf({ world, host, part }: Blow): number | undefined {
  switch (part) {
    case "app":
      return host.appPid;
    case "daprd":
      return host.sidecar.pid;
    case "placement":
      return world.cluster.placement.pid;
    case "scheduler":
      return world.cluster.scheduler.pid;
    case "store":
      return world.store?.pid;
    default:
      return part satisfies never;
  }
}

function killPart({ world, host, part }: Blow): Promise<void> {
  switch (part) {
    case "app":
      return host.killApp();
    case "daprd":
      return host.sidecar.kill("SIGKILL");
    case "placement":
      return world.cluster.placement.kill("SIGKILL");
    case "scheduler":
      return world.cluster.scheduler.kill("SIGKILL");
    case "store":
      return world.store?.kill("SIGKILL") ?? Promise.resolve();
    default:
      return part satisfies never;
  }
}

/** Retries until the part is back: on a busy machine a start may time out half-way. */
async function startAgain(blow: Blow): Promise<void> {
  for (let attempt = 1; attempt <= START_TRIES; attempt += 1) {
    const back = await startPart(blow).then(
      () => true,
      () => false,
    );
    if (back) return;
  }
}

async function startPart({ world, host, part }: Blow): Promise<void> {
  switch (part) {
    case "app":
      if (!host.appRunning) host.startApp();
      await host.healthy();
      return;
    case "daprd":
      return host.startSidecar();
    case "placement":
      return world.cluster.placement.start();
    case "scheduler":
      return world.cluster.scheduler.start();
    case "store":
      return world.store?.start();
    default:
      return part satisfies never;
  }
}
