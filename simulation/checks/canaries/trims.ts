/**
 * @module Planted bugs of the trimming of journals.
 */
import { Journal } from "../../../actors/engine/journal.ts";
import { JournalTrim } from "../../../actors/engine/journal-trim.ts";
import { Snapshots } from "../../../actors/engine/snapshots.ts";
import { type Canary, nothing, replace, withoutInsert } from "./canary.ts";

const aboveSnapshot: Canary = {
  name: "trims above the snapshot",
  scenario: "trims",
  plant: () =>
    replace(
      JournalTrim.prototype,
      "trim",
      (trim) =>
        function (this: JournalTrim, id, to) {
          return trim.call(this, id, { ...to, sequence: to.sequence + 2 });
        },
    ),
};

const tooYoung: Canary = {
  name: "trims what is younger than the bound",
  scenario: "trims",
  plant: () =>
    replace(
      Snapshots.prototype,
      "takeIfDue",
      (takeIfDue) =>
        async function (this: Snapshots<unknown>, id, loaded) {
          const taken = await takeIfDue.call(this, id, loaded);
          // Each snapshot is taken to be old at once.
          return taken.trimTo === undefined ? taken : { ...taken, trimTo: { ...taken.trimTo, atMs: 0 } };
        },
    ),
};

const headUnread: Canary = {
  name: "a host that slept does not read the head",
  scenario: "trims",
  plant: () => replace(Journal.prototype, "covers", () => async () => true),
};

const untagged: Canary = {
  name: "a head stone that is written without its tag",
  scenario: "trims",
  plant: nothing,
  wrapPorts: (ports, life, world) => ({
    ...ports,
    store: {
      ...withoutInsert(ports.store),
      insert: (key, text) => ports.store.insert(key, text),
      replace: (key, text, tag) =>
        text === undefined
          ? ports.store.replace(key, text, tag)
          : world.port(life, `replace ${key}`, true, (resolve) => {
              world.store.overwrite(life, key, text);
              world.toLife(life, world.latency(), () => resolve(true));
            }),
    },
  }),
};

/** The planted bugs of this file. */
export const TRIM_CANARIES: readonly Canary[] = [aboveSnapshot, tooYoung, headUnread, untagged];
