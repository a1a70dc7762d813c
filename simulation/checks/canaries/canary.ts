/**
 * @module What a planted bug is, and how it is planted: a method is replaced for a while, or the ports of a host are wrapped.
 */
import type { Ports, StateStore } from "../../../actors/engine/ports.ts";
import type { Life } from "../../world/life.ts";
import type { World } from "../../world/world.ts";

/** A bug that breaks one law. `plant` returns what removes it. */
export interface Canary {
  readonly name: string;
  /** The scenario in which the hunt looks for it. */
  readonly scenario:
    | "party"
    | "wild"
    | "catches"
    | "chains"
    | "waits"
    | "long"
    | "ring"
    | "purge"
    | "redrive"
    | "trims"
    | "hot"
    | "fans"
    | "minds"
    | "trust"
    | "knowledge"
    | "operated"
    | "operatedWaits";
  readonly plant: () => () => void;
  readonly wrapPorts?: (ports: Ports, life: Life, world: World) => Ports;
}

/** For a bug that is in the ports alone. */
export const nothing = (): (() => void) => () => {};

/** Replaces a method until the returned function is called. */
export function replace<T extends object, K extends keyof T>(target: T, key: K, make: (original: T[K]) => T[K]): () => void {
  const original = target[key];
  target[key] = make(original);
  return () => {
    target[key] = original;
  };
}

/** A store without its insert, for a canary that brings its own. */
export function withoutInsert(store: StateStore): Omit<StateStore, "insert"> {
  return {
    read: (keys) => store.read(keys),
    tagged: (key) => store.tagged(key),
    replace: (key, text, tag) => store.replace(key, text, tag),
    remove: (keys) => store.remove(keys),
  };
}
