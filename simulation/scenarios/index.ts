/** @module The scenarios by name. */
import type { Scenario } from "../run.ts";
import { party } from "./party.ts";
import { wild } from "./random.ts";

export const SCENARIOS: Readonly<Record<string, Scenario>> = { party, wild };
