/**
 * @module All planted bugs. Each breaks one law on purpose, from outside production code, and the simulator must find it.
 *
 * A simulator that finds nothing may be blind.
 */
import { AGENT_CANARIES } from "./canaries/agents.ts";
import type { Canary } from "./canaries/canary.ts";
import { MODEL_CANARIES } from "./canaries/models.ts";
import { OPERATOR_CANARIES } from "./canaries/operators.ts";
import { PORT_CANARIES } from "./canaries/ports.ts";
import { PROCESS_CANARIES } from "./canaries/processes.ts";
import { SETTLED_CANARIES } from "./canaries/settled.ts";
import { TRIM_CANARIES } from "./canaries/trims.ts";
import { TRUST_CANARIES } from "./canaries/trust.ts";

/** All canaries. */
export const CANARIES: readonly Canary[] = [
  ...AGENT_CANARIES,
  ...SETTLED_CANARIES,
  ...PROCESS_CANARIES,
  ...PORT_CANARIES,
  ...TRIM_CANARIES,
  ...MODEL_CANARIES,
  ...TRUST_CANARIES,
  ...OPERATOR_CANARIES,
];
