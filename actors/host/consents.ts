/**
 * @module Calls that a person must consent to: the request, the wait for its verdict, and the call that the person lets be made.
 *
 * A request is a recorded wait with the key of its call, so an execution that runs again asks and decides nothing twice. A verdict counts
 * only for the input whose hash it names.
 */
import type { EditedCall } from "../../agents/context.ts";
import type { WaitContent } from "../../runtime/agent/inputs.ts";
import type { AgentState, Call } from "../../runtime/agent/state.ts";
import type { Spent } from "../../runtime/budget.ts";
import { hashJson, plainJson } from "../../runtime/canonical.ts";
import { Fault, type Json } from "../../runtime/faults.ts";
import { consentKey } from "../../runtime/ids.ts";
import { joined, type Label, labelField } from "../../runtime/label.ts";
import { LIMITS } from "../../runtime/limits.ts";
import { alwaysDrafts } from "../../runtime/people/always.ts";
import { type RequestContent, Verdict } from "../../runtime/people/request.ts";
import { ruleId } from "../../runtime/people/rule.ts";
import type { Judgement } from "../../runtime/policy.ts";
import { CallPolicy, type CallPolicyParts, cutReason, type DecidedBy } from "./call-policy.ts";
import { Evidences } from "./evidence.ts";
import type { ReadValues } from "./own-values.ts";
import type { Replay } from "./replay.ts";
import type { MadeCall } from "./tool-calls.ts";

/** The parts of the consents of one execution. */
export interface ConsentsParts extends CallPolicyParts {
  readonly values: ReadValues;
  readonly replay: Replay;
  /** Returns the actor's state as last known to this host. */
  readonly peek: () => AgentState | undefined;
  readonly spent: () => Spent;
  /** Makes what belongs to a call, so that the handler does not rest meanwhile. */
  readonly acting: <T>(make: () => Promise<T>) => Promise<T>;
  /** Resolves when all records were reached. */
  readonly ready: () => Promise<void>;
  /** Waits as a handler does. `received` gets the label of the answer. */
  readonly wait: (key: string, content: WaitContent, received: (label: Label | undefined) => void) => Promise<Json>;
  /** Records that a call was not made, and returns what its handler receives. */
  readonly failed: (key: string, error: unknown) => Promise<unknown>;
}

type Asking = Extract<WaitContent, { readonly kind: "person" }>;

/** The consents of one execution. */
export class Consents {
  readonly #parts: ConsentsParts;
  readonly #policy: CallPolicy;
  readonly #evidences: Evidences;

  constructor(parts: ConsentsParts) {
    this.#parts = parts;
    this.#policy = new CallPolicy(parts);
    this.#evidences = new Evidences(parts);
  }

  /**
   * Returns the call as it may be made: judged, and with the input that a person gave to it. What a person lets through is judged again:
   * permissions and rules may have changed since the person was asked. Throws `tool.forbidden`, `person.denied`, and the faults of the
   * wait. A call that has ended in an earlier execution is not judged again.
   */
  async settled(call: MadeCall, known: Call | undefined, edited: (edit: EditedCall) => void = () => {}): Promise<MadeCall> {
    const { replay, acting } = this.#parts;
    const hasEnded = known?.output !== undefined || replay.failure("call", call.key) !== undefined;
    let made = call;
    let decided: DecidedBy | undefined;
    for (let round = 0; ; round += 1) {
      const key = consentKey(call.key, round);
      const recorded = await this.#recorded(key);
      if (recorded === undefined && hasEnded) return made;
      const asking = recorded ?? (await acting(() => this.#judged(made, known, decided)));
      if (asking === undefined) return made;
      let { label } = made;
      const verdict = await this.#verdict(key, asking, made, (given) => {
        label = joined(label, given);
      });
      const { by, reason, input } = verdict;
      const { rule } = asking.content as RequestContent;
      if (verdict.verdict === "approved") {
        if (!hasEnded) await acting(() => this.#keepAlways(made, asking, verdict));
        decided = { how: "approved", by, rule };
        continue;
      }
      if (verdict.verdict === "denied" || input === undefined) throw denied(made, verdict);
      edited({ asked: made.input, input, by, reason });
      // A person vouches for what it writes; what an agent or peer has written has its label.
      made = { ...made, input: made.tool.checkInput(input), label };
      decided = { how: "edited", by, rule };
    }
  }

  /** The request of an earlier execution. */
  async #recorded(key: string): Promise<Asking | undefined> {
    const { work, values, acting } = this.#parts;
    const found = work.waits.find((wait) => wait.key === key)?.for;
    if (found?.kind !== "person") return undefined;
    const { content, ...ask } = found.ask;
    return { kind: "person", ...ask, content: await acting(() => values.read(content)) };
  }

  /**
   * Judges the call. Returns what a person must be asked, or undefined if the call may be made. Throws a refusal, which is recorded. A call
   * that began was let through, and may have had its effect: it is not put to a person. A call that may be made does not wait for other
   * records here: its own, such as that of a larger budget, may be among them.
   */
  async #judged(call: MadeCall, known: Call | undefined, decided: DecidedBy | undefined): Promise<Asking | undefined> {
    const { ready, failed } = this.#parts;
    const judgement = await this.#policy.judged(call, decided).catch(async (error: unknown) => {
      await ready();
      throw await failed(call.key, error);
    });
    if (judgement.verdict === "allowed" || (judgement.verdict === "asks" && known?.open === true)) return undefined;
    await ready();
    if (judgement.verdict === "asks") return this.#asking(call, judgement);
    const { name } = call.tool;
    throw await failed(call.key, new Fault("tool.forbidden", `tool ${name} ${judgement.why}`, { tool: name, rule: judgement.rule }));
  }

  async #asking({ tool, input, label }: MadeCall, { rule, why }: Extract<Judgement, { verdict: "asks" }>): Promise<Asking> {
    const { agent, spent } = this.#parts;
    const always = alwaysDrafts({ tool: tool.name, input, label });
    const content: RequestContent = {
      kind: "consent",
      agent: agent.name,
      tool: tool.name,
      input,
      reason: cutReason(`tool ${tool.name} ${why}`),
      rule: cutReason(rule),
      evidence: [...(await this.#evidences.newest())],
      ...labelField(label),
      spent: spent(),
      inputSchema: tool.inputJsonSchema,
      ...(always.length === 0 ? {} : { always: [...always] }),
    };
    const person = tool.approver === undefined ? {} : { person: tool.approver.name };
    return { kind: "person", ...person, content: plainJson(content), hash: hashJson(input) };
  }

  /** Makes the standing rule that a person has chosen, before the call is made. */
  async #keepAlways({ tool }: MadeCall, { content }: Asking, verdict: Verdict): Promise<void> {
    const { work, agent, rules, signal } = this.#parts;
    const { always, request, by, atMs } = verdict;
    const asked = content as RequestContent;
    const draft = always === undefined ? undefined : asked.always?.[always.rule];
    if (always === undefined || draft === undefined || request === undefined) return;
    const { usesMax = LIMITS.ruleUsesDefault, forMs = LIMITS.ruleMsDefault } = always;
    const terms = { ...draft, ...labelField(asked.label), by: by ?? "", atMs, usesMax, untilMs: atMs + forMs };
    await rules.make(work, { id: ruleId(request), requestId: request, agent: agent.name, tool: tool.name, ...terms }, signal);
  }

  /** Waits for the verdict. Throws `person.changed` for one about another input than the one of this call. */
  async #verdict(key: string, asking: Asking, { tool, input }: MadeCall, received: (label: Label | undefined) => void): Promise<Verdict> {
    const verdict = Verdict.parse(await this.#parts.wait(key, asking, received));
    if (verdict.hash === hashJson(input)) return verdict;
    throw new Fault("person.changed", `the decision on a call of tool ${tool.name} is about another input`, { tool: tool.name });
  }
}

function denied({ tool }: MadeCall, { by, reason }: Verdict): Fault {
  const why = [...(by === undefined ? [] : [`${by} denied it`]), ...(reason === "" ? [] : [reason])].join(": ");
  const message = `tool ${tool.name} was not called: ${why}`;
  return new Fault("person.denied", message, { tool: tool.name, ...(by === undefined ? {} : { by }), reason });
}
