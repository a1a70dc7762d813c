/** @module The contents of values that records refer to, as the store has them. */
import { keys } from "../../actors/engine/journal.ts";
import type { Json } from "../../runtime/faults.ts";
import type { Value } from "../../runtime/value.ts";
import type { World } from "../world/world.ts";

/** The content of a value; undefined if it is not in the store. */
export function contentOf(world: World, value: Value): Json | undefined {
  return "json" in value ? value.json : world.store.content(keys.value(world.options.system.name, value));
}
