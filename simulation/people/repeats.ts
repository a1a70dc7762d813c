/** @module A broker that brings old messages to agents again, long after they were answered. */
import type { Message } from "../../runtime/protocol.ts";
import type { Random } from "../world/random.ts";
import type { World } from "../world/world.ts";

const REPEATS_COUNT = 24;
const REPEAT_MS_MAX = 30_000;

/** Brings some of the messages again that hosts sent until then. */
export function repeatOld(world: World, random: Random, sent: readonly Message[]): void {
  for (let count = 0; count < REPEATS_COUNT; count += 1)
    world.timeline.after(random.int(0, REPEAT_MS_MAX), () => {
      const old = sent.filter(({ body }) => body.kind === "work" || body.kind === "undo");
      if (old.length === 0) return;
      const message = structuredClone(random.pick(old));
      world.trace?.(`the broker brings ${message.id} again`);
      void world
        .owner(message.to)
        ?.face?.receive(message)
        .catch(() => {});
    });
}
