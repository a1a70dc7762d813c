/** @module A system with something of everything that a purge must find, hosts that die at a write, and old messages. */
import { z } from "zod";
import { agent, contract, route, system } from "../../agents/index.ts";
import { SILENT } from "../../actors/engine/log.ts";
import { MemoryStore } from "../../actors/memory/store.ts";
import type { InsertResult } from "../../actors/engine/ports.ts";
import { Retention } from "../../actors/retention/retention.ts";
import { LIMITS } from "../../runtime/limits.ts";
import type { Message } from "../../runtime/protocol.ts";
import { flush } from "./engine-rig.ts";
import { CALLER, World } from "./world-rig.ts";

const Text = z.object({ text: z.string() });
const Once = contract("Once", 1, { input: Text, output: Text });
const Keyed = contract("Keyed", 1, { input: Text, output: Text, key: () => "one" });
/** Too large to stand in a record. */
const LARGE = "x".repeat(LIMITS.valueInlineBytesMax);

/** Handlers that began, as `agent process`. */
export const begun: string[] = [];

/** A session agent that makes steps and asks a keyed one, a nested route, and large contents everywhere. */
function everything(): ReturnType<typeof system> {
  const once = agent(Once, {
    asks: [Keyed],
    handle: async ({ text }, ctx) => {
      begun.push(`Once ${ctx.processId}`);
      if (text.startsWith("fail")) throw new TypeError("no");
      const found = await ctx.step("look", () => ({ text: `${text} found` }));
      return ctx.ask(Keyed, found);
    },
  });
  const keyed = agent(Keyed, {
    state: { schema: Text, initial: { text: "" } },
    handle: async ({ text }, ctx) => {
      begun.push(`Keyed ${ctx.processId}`);
      ctx.setState({ text: LARGE + ctx.processId });
      return { text: `${text} asked` };
    },
  });
  const inner = route("inner", 1, Text)
    .to("once", Once, ({ task }) => task)
    .output(({ once: found }) => found);
  const outer = route("outer", 1, Text)
    .to("first", Once, ({ task }) => task, { retry: { attemptsMax: 1 } })
    .to("nested", inner, ({ first }) => first)
    .output(({ nested }) => nested);
  return system("sys", { agents: [once, keyed], routes: [inner, outer] });
}

type Crash = "before" | "after" | "half";

/** Calls back at its nth write, before it is made, after it, or when half of its keys are removed. */
export class FragileStore extends MemoryStore {
  writes = 0;
  onWrite: (write: number) => { readonly kind: Crash; readonly die: () => void } | undefined = () => undefined;

  override insert(key: string, text: string): Promise<InsertResult> {
    return this.#at([], () => super.insert(key, text));
  }

  override replace(key: string, text: string | undefined, tag: string): Promise<boolean> {
    return this.#at([], () => super.replace(key, text, tag));
  }

  override remove(keys: readonly string[]): Promise<void> {
    return this.#at(keys, () => super.remove(keys));
  }

  async #at<T>(keys: readonly string[], write: () => Promise<T>): Promise<T> {
    this.writes += 1;
    const crash = this.onWrite(this.writes);
    if (crash === undefined) return write();
    if (crash.kind === "half") await super.remove(keys.filter((_, index) => index % 2 === 0));
    if (crash.kind === "after") await write();
    crash.die();
    return new Promise<never>(() => {});
  }
}

/** A world in which processes have ended, and every message that ever reached a host. */
export class PurgeWorld {
  readonly store = new FragileStore();
  readonly world = new World(this.store);
  readonly seen: Message[] = [];
  readonly definition = everything();
  #joined = 0;

  /** One more host, which notes what reaches it. */
  join(): ReturnType<World["join"]> {
    this.#joined += 1;
    const member = this.world.join(this.definition, `host${this.#joined}`);
    const receive = member.host.receive.bind(member.host);
    member.host.receive = (message) => {
      this.seen.push(structuredClone(message));
      return receive(message);
    };
    return member;
  }

  /** Runs a task to its end, and lets everything settle. */
  async run(member: ReturnType<World["join"]>, id: string, text = id + LARGE): Promise<void> {
    await member.operations.submit({ id, route: "outer", input: { text } }, CALLER, 0);
    await this.world.until(member, id);
    await this.world.clock.advance(LIMITS.askAgainMs);
    await flush(20);
  }

  retention(member: ReturnType<World["join"]>, retentionMs?: number): Retention {
    return new Retention({
      system: "sys",
      host: member.host,
      ports: this.world.portsOf(member, `sweep${this.#joined}`),
      log: SILENT,
      retentionMs,
    });
  }

  /** The hosts get everything again that they ever got. */
  async resend(member: ReturnType<World["join"]>, messages: readonly Message[]): Promise<void> {
    for (const message of messages) await member.host.receive(structuredClone(message)).catch(() => {});
    await flush(20);
  }

  /** Keys of what lives as long as the system does: roots of the indexes, slips, keyed agents and what they keep for themselves. */
  get lasting(): readonly string[] {
    return this.store
      .keys()
      .filter((key) => /^sys\/(sys\.\w+\/root\/|value\/[0-9a-f]{64}$|value\/Keyed~one\/(?!settled-)|sys\.Keyed\/)/.test(key));
  }

  /** Keys of everything else. */
  get passing(): readonly string[] {
    const lasting = new Set(this.lasting);
    return this.store.keys().filter((key) => !lasting.has(key) && !key.startsWith("sys/host"));
  }
}
