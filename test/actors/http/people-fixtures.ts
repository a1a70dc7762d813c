/** @module A request to a person, and a standing rule, as they are shown. */
import type { RuleView } from "../../../runtime/people/rule-view.ts";
import type { RequestView } from "../../../runtime/people/view.ts";

/** A request to a person as it is shown. */
export const REQUEST: RequestView = {
  id: "p.r1",
  processId: "p",
  route: "trip",
  run: 1,
  stop: "approve",
  kind: "question",
  state: "open",
  person: "Approver",
  about: "the stop approve asks Approver",
  hash: "a".repeat(64),
  roles: ["manager"],
  forSubject: "ann",
  askedAtMs: 5,
  silence: "deny",
  reminded: 0,
  escalated: 0,
  actions: ["approve", "edit", "deny"],
  input: { amount: 1_200 },
  reason: "the stop approve asks Approver",
  rule: "stop approve",
  evidence: [],
  inputSchema: {},
};

/** A standing rule as it is shown. */
export const RULE: RuleView = {
  id: "rule-0123456789abcdef",
  state: "stands",
  agent: "Payer",
  tool: "pay",
  about: "exactly this input",
  when: "input == {}",
  request: "p.r1",
  by: "ann",
  atMs: 1,
  untilMs: 2,
  used: 0,
  usesMax: 10,
};
