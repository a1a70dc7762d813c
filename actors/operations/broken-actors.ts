/** @module The broken actors of a running system: which there are, and how one of them begins anew. */
import { Fault, faultFrom } from "../../runtime/faults.ts";
import { actorType, type IndexName, INDEXES } from "../../runtime/protocol.ts";
import type { BrokenActor } from "../engine/quarantine.ts";
import type { Host } from "../host/host.ts";
import type { AuditNote } from "./invalid-messages.ts";
import type { Caller, SetAsideOptions } from "./operations.ts";

/** A broken actor as people see it: the type without the system's name, and the id. */
export interface BrokenActorView {
  readonly actor: string;
  readonly code: string;
  readonly message: string;
  readonly atMs: number;
}

/** The parts that this works on. */
export interface BrokenActorsParts {
  readonly system: string;
  readonly host: Host;
  /** Notes every broken bucket in the quarantine of the host. */
  readonly findBuckets: () => Promise<void>;
  readonly note: (act: AuditNote, caller: Caller) => Promise<void>;
}

/** Finds broken actors and sets them aside. */
export class BrokenActors {
  readonly #parts: BrokenActorsParts;

  constructor(parts: BrokenActorsParts) {
    this.#parts = parts;
  }

  /** The broken actors that this host has met and that are broken still, and every broken bucket of an index. */
  async list(): Promise<readonly BrokenActorView[]> {
    const { host, findBuckets } = this.#parts;
    await findBuckets();
    // What reads well is cleared from the quarantine.
    for (const { actor } of host.quarantine.list())
      await host
        .engineOf(actor.type)
        ?.fresh(actor.id)
        .catch(() => {});
    return host.quarantine.list().map((found) => this.#view(found));
  }

  #view({ actor, ...rest }: BrokenActor): BrokenActorView {
    return { actor: `${actor.type.slice(this.#parts.system.length + 1)}/${actor.id}`, ...rest };
  }

  /** Sets a broken actor aside. Throws `agent.unknown`, `journal.intact`, `journal.loss`. */
  async setAside(name: string, { reason, acceptLoss = false }: SetAsideOptions, caller: Caller): Promise<BrokenActorView> {
    const { host, system, note } = this.#parts;
    const [kind = "", id = ""] = name.split("/");
    const engine = host.engineOf(actorType(system, kind));
    if (engine === undefined) throw new Fault("agent.unknown", `this app has no actors ${JSON.stringify(kind)}`);
    const broken = await engine.fresh(id).then(
      () => undefined,
      (error: unknown) => faultFrom(error, "turn.failed"),
    );
    if (broken === undefined) throw new Fault("journal.intact", `the journal of ${name} is not broken`);
    const isIndex = INDEXES.includes(kind as IndexName);
    if (!isIndex && !acceptLoss)
      throw new Fault("journal.loss", `${name} would go on from its last record before the break: ${broken.message}`);
    const { atMs = 0 } = host.quarantine.list().find(({ actor }) => actor.type === engine.type && actor.id === id) ?? {};
    await note({ what: "set-aside", target: name, why: reason }, caller);
    await engine.setAside(id, isIndex ? "all" : "prefix");
    return { actor: name, code: broken.code, message: broken.message, atMs };
  }
}
