/** @module Reads the contents of cassettes for comparison, also the arguments of calls of which only the hash is recorded. Pure. */
import { hashJson } from "../canonical.ts";
import type { Json, WireFault } from "../faults.ts";
import { callPrefix, toolOf } from "../ids.ts";
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
  /** Arguments of calls by the prefix of their keys. */
  #arguments: Map<string, Json> | undefined;

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
   * The arguments of a call by its key. A record of a call holds them only if they are needed for an undo; those that a model wrote are
   * found in its replies. Others are named by their hash.
   */
  argumentsOf(key: string, input: Value | undefined): Json {
    if (input !== undefined) return this.read(input);
    const prefix = key.slice(0, key.lastIndexOf("/"));
    return (this.#arguments ??= this.#written()).get(prefix) ?? { $hash: prefix.slice(toolOf(key).length + 1) };
  }

  #written(): Map<string, Json> {
    const found = new Map<string, Json>();
    const keep = (name: string, input: Json): void => void found.set(callPrefix(name, hashJson(input)), input);
    for (const { processes } of this.#cassettes)
      for (const { work } of processes.flatMap(({ works }) => works)) {
        for (const { tool, input } of work.calls) if (input !== undefined) keep(tool, this.read(input));
        for (const { reply } of work.modelCalls ?? []) {
          const read = reply === undefined ? undefined : ModelReply.safeParse(this.read(reply)).data;
          for (const call of read?.calls ?? []) {
            const input = parsed(call.arguments);
            if (input !== undefined) keep(call.name, input);
          }
        }
      }
    return found;
  }
}

function parsed(text: string): Json | undefined {
  try {
    return JSON.parse(text) as Json;
  } catch {
    return undefined;
  }
}
