/** @module The relations between the limits: what changing one of them must not break. */
import { expect, test } from "vitest";
import { LIMITS } from "../../runtime/limits.ts";

const RELATIONS: readonly (readonly [string, boolean])[] = [
  ["a value must fit in a message", LIMITS.valueBytesMax <= LIMITS.messageBytesMax],
  ["the bytes of an invalid message must fit in a value in each encoding", LIMITS.invalidBytesMax * 3 < LIMITS.valueBytesMax],
  ["a message must fit in a body with its envelope", LIMITS.messageBytesMax < LIMITS.bodyBytesMax],
  ["a record must fit in a body with its envelope", LIMITS.recordBytesMax < LIMITS.bodyBytesMax],
  ["a tombstone must live longer than any host trusts its cache", LIMITS.actorTrustMs * 2 < LIMITS.tombstoneMs],
  [
    "no host may believe its memory of an actor when records that it does not know are removed",
    LIMITS.actorTrustMs * 2 + LIMITS.clockDriftMsMax < LIMITS.trimAgeMs,
  ],
  ["a cached process must be trusted for less time than it takes until its purge", LIMITS.actorTrustMs * 2 < LIMITS.compensationMsMax],
  ["unanswered requests must be due when a process first asks again", LIMITS.resendMs <= LIMITS.askAgainMs],
  ["the trust in a receipt must end before the process asks again", LIMITS.receiptTrustMs < LIMITS.askAgainMs],
  ["the pause before asking again needs a range", LIMITS.askAgainMs < LIMITS.askAgainMsMax],
  ["a process that was taken over must have its reminder before the old one fires", LIMITS.reminderSpreadMs < LIMITS.reminderMs],
  ["only settled work items that are in the state can leave it", LIMITS.agentLeavingMax <= LIMITS.agentSettledMax],
  ["a dead host must be found by as many reads as its time allows", LIMITS.hostLeaseMs * LIMITS.hostDeadReads <= LIMITS.hostDeadMs],
  ["the buckets of one page must fit in the cache", LIMITS.pageBucketsMax <= LIMITS.listedBucketsMax],
  ["open model calls must be given up before their host stops", LIMITS.modelDrainMs < LIMITS.stopGraceMs],
  [
    "what is forgotten must be removed again when no attempt of its write can be under way",
    LIMITS.commitAttemptsMax * LIMITS.sidecarCallMs * 10 <= LIMITS.memoryRemoveAgainMs,
  ],
  ["the pauses of followers need a range", LIMITS.followLookMsMin < LIMITS.followLookMsMax],
  ["a stop's timeout must fit in a task's lifetime", LIMITS.stopTimeoutMsDefault < LIMITS.taskTimeoutMsDefault],
];

test.each(RELATIONS)("%s", (_why, holds) => {
  expect(holds).toBe(true);
});
