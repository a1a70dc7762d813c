/** @module The contents of a cassette as the values of a system: they are read, and nothing is written. */
import type { Cassette } from "../../runtime/cassette/cassette.ts";
import { entryOf } from "../../runtime/entries.ts";
import { Fault, type Json } from "../../runtime/faults.ts";
import type { Clock, StateStore } from "../engine/ports.ts";
import { Values } from "../engine/values.ts";

/** The values of a cassette. A content that it does not have is `value.missing`. */
export function cassetteValues({ system, values }: Cassette, clock: Clock): Values {
  const store: StateStore = {
    read: async (keys) => {
      const found = new Map<string, Json>();
      for (const key of keys) {
        const content = entryOf(values, key.slice(key.lastIndexOf("/") + 1));
        if (content !== undefined) found.set(key, content);
      }
      return found;
    },
    insert: refused,
    tagged: refused,
    replace: refused,
    remove: refused,
  };
  return new Values(store, clock, system);
}

async function refused(): Promise<never> {
  throw new Fault("work.superseded", "a replay writes nothing");
}
