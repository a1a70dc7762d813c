/** @module Reads the contents of cassettes for comparison, also the arguments of calls of which only the hash is recorded. Pure. */
import type { AgentWork } from "../agent/state.ts";
import { hashJson } from "../canonical.ts";
import type { Json, WireFault } from "../faults.ts";
import { callPrefix, toolOf } from "../ids.ts";
import { LIMITS } from "../limits.ts";
import { ModelReply } from "../model/conversation.ts";
import { RequestContent } from "../people/request.ts";
import { entryOf } from "../entries.ts";
import type { Value } from "../value.ts";
import type { Cassette } from "./cassette.ts";

/** What a result consists of. */
interface ResultParts {
  readonly output?: Value | undefined;
  readonly fault?: WireFault | undefined;
  readonly handOff?: { readonly agent: string; readonly input: Value } | undefined;
}

/** The contents of some cassettes. */
export class Contents {
  readonly #cassettes: readonly Cassette[];
  /** Arguments of calls, and parts of other contents, by the beginning of their hash that keys have. */
  #arguments: Map<string, Json> | undefined;
  #parts: Map<string, Json> | undefined;

  constructor(cassettes: readonly Cassette[]) {
    this.#cassettes = cassettes;
  }

  /** The content of a value. One that is not in the cassettes is named by its hash. */
  read(value: Value): Json {
    if ("json" in value) return value.json;
    for (const { values } of this.#cassettes) {
      const found = entryOf(values, value.ref);
      if (found !== undefined) return found;
    }
    return { $missing: value.ref };
  }

  /** A result: its output, the code and message of its fault, or its hand-off. */
  result({ output, fault, handOff }: ResultParts): { readonly [name: string]: Json } {
    return {
      ...(output === undefined ? {} : { output: this.read(output) }),
      ...(fault === undefined ? {} : { fault: { code: fault.code, message: fault.message } }),
      ...(handOff === undefined ? {} : { handOff: { agent: handOff.agent, input: this.read(handOff.input) } }),
    };
  }

  /** What people were asked, without what only helps them to decide. */
  asked(value: Value): Json {
    const content = this.read(value);
    const { kind, agent = null, tool = null, input, rule } = RequestContent.safeParse(content).data ?? {};
    return kind === undefined || input === undefined || rule === undefined ? content : { kind, agent, tool, input, rule };
  }

  /**
   * The arguments of a call by its key. A record of a call holds them only if they are needed for an undo. Others are found by their hash
   * among what models wrote and among all other contents, of which code makes most arguments; if not there, they are named by the hash.
   */
  argumentsOf(key: string, input: Value | undefined): Json {
    if (input !== undefined) return this.read(input);
    const hash = key.slice(toolOf(key).length + 1, key.lastIndexOf("/"));
    this.#arguments ??= this.#written();
    return this.#arguments.get(hash) ?? (this.#parts ??= this.#allParts()).get(hash) ?? { $hash: hash };
  }

  #written(): Map<string, Json> {
    const found = new Map<string, Json>();
    for (const { calls, modelCalls = [] } of this.#works) {
      for (const { input } of calls) if (input !== undefined) keep(found, this.read(input));
      for (const { reply } of modelCalls) {
        const read = reply === undefined ? undefined : ModelReply.safeParse(this.read(reply)).data;
        for (const call of read?.calls ?? []) {
          const input = parsed(call.arguments);
          if (input !== undefined) keep(found, input);
        }
      }
    }
    return found;
  }

  /** The inputs, outputs and results of all work items, and the objects in them. */
  #allParts(): Map<string, Json> {
    const found = new Map<string, Json>();
    const walk = (part: Json | undefined): void => {
      if (typeof part !== "object" || part === null || found.size >= LIMITS.diffPartsMax) return;
      if (!Array.isArray(part)) keep(found, part);
      for (const item of Object.values(part) as (Json | undefined)[]) walk(item);
    };
    for (const { input, calls, steps, waits, result } of this.#works) {
      const values = [input, ...calls.map(({ output }) => output), ...steps.map(({ output }) => output)];
      for (const value of values) if (value !== undefined) walk(this.read(value));
      for (const one of [result, ...waits.map((wait) => wait.result)]) walk(one === undefined ? undefined : this.result(one));
    }
    return found;
  }

  get #works(): readonly AgentWork[] {
    return this.#cassettes.flatMap(({ processes }) => processes.flatMap(({ works }) => works.map(({ work }) => work)));
  }
}

function keep(found: Map<string, Json>, input: Json): void {
  const prefix = callPrefix("", hashJson(input));
  found.set(prefix.slice(1), input);
}

function parsed(text: string): Json | undefined {
  try {
    return JSON.parse(text) as Json;
  } catch {
    return undefined;
  }
}
