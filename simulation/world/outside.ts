/**
 * @module The outside world that handlers change, and its ledger: what was really done, whether or not its answer arrived.
 *
 * It behaves like a service that honours idempotency keys: an effect with a key happens once, for any number of calls, and an effect that
 * was undone before it happened never happens. An effect without a key happens at every call.
 */
import type { AgentDefinition } from "../../agents/agent.ts";
import type { ToolDefinition } from "../../agents/tool.ts";
import type { Json } from "../../runtime/faults.ts";
import { SimDocuments } from "./documents.ts";
import type { Handling } from "./handling.ts";
import { type Place, place } from "./life.ts";
import { Marks } from "./marks.ts";
import type { World } from "./world.ts";

/** One entry of the ledger. */
export interface LedgerLine {
  readonly atMs: number;
  readonly what: "applied" | "repeated" | "undone" | "nothing-to-undo" | "refused";
  readonly name: string;
  /** The idempotency key; absent for a call without one. */
  readonly key: string | undefined;
  /** Names the effect: the same for every try of one effect, and different for any other. */
  readonly about: string;
  readonly processId: string;
  readonly workId: string;
  readonly life: string;
  readonly agent: string;
  readonly step: string | undefined;
  /** The idempotency key of the call of the tool that did it. */
  readonly call: string | undefined;
}

export interface Call {
  readonly name: string;
  readonly key?: string | undefined;
  readonly about: string;
  readonly signal?: AbortSignal | undefined;
  /** Runs when the effect happens; returns the answer of the outside. */
  readonly act?: () => Json | Promise<Json>;
}

/** A tool that is about to run. */
export interface ToolRun {
  readonly agent: AgentDefinition;
  readonly tool: ToolDefinition;
  readonly input: Json;
  readonly workId: string;
  readonly processId: string;
  /** The key of the call within its work item. */
  readonly key: string;
}

interface Entry {
  applied: boolean;
  undone: boolean;
  result: Json;
}

const LATE_MS_MIN = 4_000;
const LATE_MS_MAX = 40_000;
const GIVEN_UP_MS = 2_000;
const HALF_SHARE = 0.5;

export class Outside {
  readonly ledger: LedgerLine[] = [];
  /** Broken laws that were seen while handlers ran. */
  readonly complaints: { readonly law: string; readonly text: string }[] = [];
  /** How often each key was asked for, and the first undo of each key by its position among all. */
  readonly performed = new Map<string, number>();
  readonly undoing = new Map<string, number>();
  /** How often each key was looked up. */
  readonly lookUps = new Map<string, number>();
  readonly marks = new Marks();
  readonly documents: SimDocuments;
  /** Hears of each tool at the moment at which it runs. */
  onRun: (run: ToolRun) => void = () => {};
  /** Hears of each result that a handler receives. */
  onReceived: (handling: Handling, result: string) => void = () => {};
  /** Whether a person has given another input to the call than its handler or model. */
  isEdited: (run: ToolRun) => boolean = () => false;
  readonly #world: World;
  readonly #entries = new Map<string, Entry>();

  constructor(world: World) {
    this.#world = world;
    this.documents = new SimDocuments(world);
  }

  /** A law was seen to be broken. */
  complain(law: string, text: string): void {
    this.complaints.push({ law, text });
    this.#world.trace?.(`COMPLAINT: ${law}: ${text}`);
  }

  /** Looks up a key at the other program. Returns the result of an effect that happened and still stands. */
  lookUp(call: Call): Promise<Json | undefined> {
    const at = placed();
    const { faults, random } = this.#world;
    const { key = "" } = call;
    this.lookUps.set(key, (this.lookUps.get(key) ?? 0) + 1);
    return this.#world.port(at.life, `look up ${call.name}`, false, (resolve, reject) => {
      const fails = faults.happens("effectFails", random.outside);
      this.#world.toLife(at.life, this.#world.latency(), () => {
        if (fails) return reject(new Error(`${call.name}: the service failed to look it up`));
        return resolve(this.stands(key) ? this.#entries.get(key)?.result : undefined);
      });
    });
  }

  /** Makes an effect happen, as far as the faults let it. */
  perform(call: Call): Promise<Json> {
    const at = placed();
    const { faults, random } = this.#world;
    if (call.key !== undefined) this.performed.set(call.key, (this.performed.get(call.key) ?? 0) + 1);
    return this.#world.port(at.life, `effect ${call.name}`, true, (resolve, reject) => {
      const apply = (): Json => this.#apply(call, at);
      const answer = (delayMs: number, settle: () => void): void => this.#world.toLife(at.life, delayMs, settle);
      const ms = this.#world.latency();
      const failure = (text: string): Error => new Error(`${call.name}: ${text}`);
      if (faults.happens("effectFails", random.outside)) return answer(ms, () => reject(failure("the service failed")));
      if (faults.happens("effectHangs", random.outside)) {
        if (random.outside.chance(HALF_SHARE)) this.#world.timeline.after(ms, () => void apply());
        if (random.outside.chance(HALF_SHARE)) call.signal?.addEventListener("abort", () => reject(failure("given up")), { once: true });
        return;
      }
      if (faults.happens("effectLate", random.outside)) {
        this.#world.timeline.after(random.outside.int(LATE_MS_MIN, LATE_MS_MAX), () => void apply());
        return answer(GIVEN_UP_MS, () => reject(failure("no answer in time")));
      }
      const unanswered = faults.happens("effectUnanswered", random.outside);
      this.#world.timeline.after(ms, () => {
        const result = apply();
        answer(this.#world.latency(), () => (unanswered ? reject(failure("the connection broke before the answer")) : resolve(result)));
      });
    });
  }

  /** Takes an effect back by its key. */
  undo(call: Call): Promise<Json> {
    const at = placed();
    const { faults, random } = this.#world;
    if (call.key !== undefined && !this.undoing.has(call.key)) this.undoing.set(call.key, this.undoing.size);
    return this.#world.port(at.life, `undo ${call.name}`, true, (resolve, reject) => {
      if (faults.happens("effectFails", random.outside))
        return this.#world.toLife(at.life, this.#world.latency(), () => reject(new Error(`${call.name}: the service failed to undo`)));
      const unanswered = faults.happens("effectUnanswered", random.outside);
      this.#world.timeline.after(this.#world.latency(), () => {
        this.#takeBack(call, at);
        this.#world.toLife(at.life, this.#world.latency(), () =>
          unanswered ? reject(new Error(`${call.name}: the connection broke before the answer`)) : resolve(null),
        );
      });
    });
  }

  #apply(call: Call, at: Place): Json {
    const key = call.key ?? `${call.name} ${this.ledger.length}`;
    const known = this.#entries.get(key);
    if (known?.undone === true) {
      this.#note("refused", call, at);
      return null;
    }
    if (known?.applied === true) {
      this.#note("repeated", call, at);
      return known.result;
    }
    const made: Entry = { applied: true, undone: false, result: `${call.name} of ${call.about}` };
    this.#entries.set(key, made);
    this.#note("applied", call, at);
    return made.result;
  }

  #takeBack(call: Call, at: Place): void {
    const key = call.key ?? call.about;
    const known = this.#entries.get(key);
    this.#entries.set(key, { applied: known?.applied === true, undone: true, result: known?.result ?? null });
    this.#note(known?.applied === true && !known.undone ? "undone" : "nothing-to-undo", call, at);
  }

  #note(what: LedgerLine["what"], call: Call, at: Place): void {
    const { name, key, about } = call;
    const { processId, workId, agent, step, call: toolCall, life } = at;
    const where = { processId, workId, life: life.name, agent, step, call: toolCall };
    this.ledger.push({ atMs: this.#world.timeline.nowMs, what, name, key, about, ...where });
    this.#world.trace?.(`outside: ${name} of ${about} ${WORDS[what]}${key === undefined ? "" : ` (key ${key})`}`);
  }

  /** Whether an effect stands now. */
  stands(key: string): boolean {
    const entry = this.#entries.get(key);
    return entry?.applied === true && !entry.undone;
  }
}

const WORDS: Readonly<Record<LedgerLine["what"], string>> = {
  applied: "HAPPENS",
  repeated: "is asked for again; it has happened, so nothing changes",
  undone: "is undone",
  "nothing-to-undo": "is undone, though it never happened or is undone already",
  refused: "comes after it was undone, so it does not happen",
};

function placed(): Place {
  const at = place.getStore();
  if (at === undefined) throw new Error("an outside effect was called from outside a handler, or of a host that is not simulated");
  return at;
}

/** The outside world of the handler that runs now. */
export function outsideNow(): Outside {
  return placed().life.outside;
}
