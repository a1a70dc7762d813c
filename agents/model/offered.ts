/** @module Which functions a model is offered: not the tools whose permission the task does not have. */
import { fixedPart } from "../../runtime/model/prompt.ts";
import { mayUse } from "../../runtime/policy.ts";
import type { LoopRules } from "../../runtime/model/rules.ts";
import type { Principal } from "../context.ts";
import type { ToolDefinition } from "../tool.ts";

/** Returns the rules of a loop for a principal. Those of principals with the same tools are made once. */
export function offeredTo(rules: LoopRules, tools: readonly ToolDefinition[]): (principal: Principal) => LoopRules {
  const guarded = tools.filter(({ permission }) => permission !== undefined);
  if (guarded.length === 0) return () => rules;
  const known = new Map<string, LoopRules>();
  return (principal) => {
    const denied = guarded.filter(({ permission }) => !mayUse(permission, principal)).map(({ name }) => name);
    if (denied.length === 0) return rules;
    const key = denied.join("\n");
    const made = known.get(key) ?? without(rules, new Set(denied));
    known.set(key, made);
    return made;
  };
}

/** The rules without some tools. With no function left, the model has just to answer. */
function without(rules: LoopRules, denied: ReadonlySet<string>): LoopRules {
  const kept = [...rules.functions].filter(([, { kind, target }]) => kind !== "tool" || !denied.has(target));
  const { answer, settings } = rules.fixed;
  const tools = kept.map(([, { name, about, input }]) => ({ name, about, input }));
  return { ...rules, functions: new Map(kept), fixed: fixedPart(tools, answer, settings) };
}
