/**
 * @module Evidence for a request to a person: the newest contents that the handler has received, with where they come from.
 */
import type { AgentState, AgentWork } from "../../runtime/agent/state.ts";
import { canonicalJson } from "../../runtime/canonical.ts";
import { entryOf } from "../../runtime/entries.ts";
import type { Json } from "../../runtime/faults.ts";
import { isUntrusted } from "../../runtime/label.ts";
import { LIMITS } from "../../runtime/limits.ts";
import type { Evidence } from "../../runtime/people/request.ts";
import type { Value } from "../../runtime/value.ts";
import type { ReadValues } from "./own-values.ts";

/** The parts of the evidence of one execution. */
export interface EvidencesParts {
  readonly work: AgentWork;
  readonly values: ReadValues;
  /** Returns the actor's state as last known to this host. */
  readonly peek: () => AgentState | undefined;
}

interface Received {
  readonly order: number;
  readonly origin: string;
  readonly trusted: boolean;
  readonly content: Value;
}

const CUT_NOTE = " [cut]";

/** Collects evidence from the records of one work item. */
export class Evidences {
  readonly #parts: EvidencesParts;

  constructor(parts: EvidencesParts) {
    this.#parts = parts;
  }

  /** What the handler has received, untrusted contents first, each kind newest first. */
  async newest(): Promise<readonly Evidence[]> {
    const received = this.#received().sort((left, right) => Number(left.trusted) - Number(right.trusted) || right.order - left.order);
    return Promise.all(
      received.slice(0, LIMITS.evidenceMax).map(async ({ origin, trusted, content }) => ({
        origin: origin.slice(0, LIMITS.originLengthMax),
        trusted,
        text: cut(textOf(await this.#parts.values.read(content))),
      })),
    );
  }

  #received(): Received[] {
    const { peek, work: first } = this.#parts;
    const state = peek();
    const work = (state === undefined ? undefined : entryOf(state.works, first.id)) ?? first;
    const outputs = work.calls.flatMap(({ tool, output, label, order = 0 }) =>
      output === undefined ? [] : [{ order, origin: `tool:${tool}`, trusted: !isUntrusted(label), content: output }],
    );
    const answers = work.waits.flatMap(({ for: asked, result, resultLabel, order = 0 }) => {
      if (result === undefined || !("output" in result)) return [];
      const received = { order, trusted: !isUntrusted(resultLabel), content: result.output };
      if (asked.kind === "agent") return [{ ...received, origin: `agent:${asked.agent}` }];
      return asked.kind === "signal" ? [{ ...received, origin: `signal:${asked.name}` }] : [];
    });
    return [{ order: -1, origin: "input", trusted: !isUntrusted(work.label), content: work.input }, ...outputs, ...answers];
  }
}

function textOf(content: Json): string {
  return (typeof content === "string" ? content : canonicalJson(content)).toWellFormed();
}

function cut(text: string): string {
  const max = LIMITS.evidenceTextCharsMax;
  return text.length <= max ? text : `${text.slice(0, max - CUT_NOTE.length).toWellFormed()}${CUT_NOTE}`;
}
