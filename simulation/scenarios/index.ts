/** @module The scenarios by name. */
import type { Scenario } from "../run.ts";
import { chains } from "./chains.ts";
import { fans } from "./fans.ts";
import { hot } from "./hot.ts";
import { knowledge } from "./knowledge.ts";
import { long } from "./long.ts";
import { minds } from "./minds.ts";
import { operated, operatedWaits } from "./operated.ts";
import { party, purge, redrive } from "./party.ts";
import { catches, wild, wildRedrive } from "./random.ts";
import { ring } from "./ring.ts";
import { trims } from "./trims.ts";
import { trust } from "./trust.ts";
import { waits } from "./waits.ts";

export const SCENARIOS: Readonly<Record<string, Scenario>> = {
  party,
  wild,
  ring,
  long,
  purge,
  redrive,
  wildRedrive,
  catches,
  chains,
  waits,
  trims,
  fans,
  hot,
  minds,
  trust,
  knowledge,
  operated,
  operatedWaits,
};
