/** @module All conformance cases by room. */
import { ACTOR_CASES } from "./world-actor-cases.ts";
import { ACTOR_OUTAGE_CASES } from "./world-actor-outage-cases.ts";
import { REMINDER_CASES } from "./world-reminder-cases.ts";
import { REMINDER_OUTAGE_CASES } from "./world-reminder-outage-cases.ts";
import { CALL_CASES } from "./world-call-cases.ts";
import type { Case, Room } from "./world-case.ts";
import { STORE_CASES } from "./world-store-cases.ts";
import { STORE_VERSION_CASES } from "./world-store-version-cases.ts";
import { TOPIC_CASES } from "./world-topic-cases.ts";

export const CASES: Readonly<Record<Room, readonly Case[]>> = {
  store: [...STORE_CASES, ...STORE_VERSION_CASES],
  actors: [...ACTOR_CASES, ...ACTOR_OUTAGE_CASES],
  calls: CALL_CASES,
  reminders: [...REMINDER_CASES, ...REMINDER_OUTAGE_CASES],
  topics: TOPIC_CASES,
};
