/**
 * @module One life of a simulated host: from its start to its kill. What reaches a frozen life waits, what reaches a dead
 * one is lost, and a dead one never acts again.
 */
import { AsyncLocalStorage } from "node:async_hooks";
import type { Host } from "../../actors/host/host.ts";
import type { ActorHost, Ports } from "../../actors/engine/ports.ts";
import type { SystemOperations } from "../../actors/operations/system-operations.ts";
import { OpenCalls } from "./open-calls.ts";
import type { Outside } from "./outside.ts";
import { type Happening, NOTHING } from "./timeline.ts";

export class Life {
  /** Such as `A1`: the first life of host A. */
  readonly name: string;
  readonly node: number;
  readonly outside: Outside;
  state: "up" | "frozen" | "dead" = "up";
  /** Events that arrived while the life was frozen. */
  readonly backlog: Happening[] = [];
  /** As the world calls it. Set when the host is made. */
  face: ActorHost | undefined;
  host: Host | undefined;
  ports: Ports | undefined;
  operations: SystemOperations | undefined;
  readonly openCalls: OpenCalls;

  constructor(name: string, node: number, outside: Outside, nowMs: () => number) {
    this.openCalls = new OpenCalls(nowMs, (text) => outside.complain("nothing overlaps a call in one host", text));
    this.name = name;
    this.node = node;
    this.outside = outside;
  }
}

/** Something reaches a host now: later when it is frozen, never when it is dead. */
export function reach(life: Life, run: Happening): void | typeof NOTHING {
  if (life.state === "up") return run();
  if (life.state === "frozen") life.backlog.push(run);
  return NOTHING;
}

/** Where a piece of a handler runs. */
export interface Place {
  readonly life: Life;
  readonly agent: string;
  readonly workId: string;
  readonly processId: string;
  /** The step or tool that the code runs in; absent outside of any. */
  readonly step?: string;
  /** Idempotency key of the call, if the code is a tool's. */
  readonly call?: string;
}

/** Follows handlers through their awaits, so that an outside call knows which handler makes it. */
export const place = new AsyncLocalStorage<Place>();
