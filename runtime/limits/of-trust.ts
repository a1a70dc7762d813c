/** @module The part of the limits for people, permissions, labels, memory and sources. */
import { DAY_MS, HOUR_MS, KIB_BYTES, MIB_BYTES, MINUTE_MS, SECOND_MS } from "../units.ts";

/** Limits of people, permissions, labels, memory and sources. */
export const TRUST_LIMITS = {
  /** Origins of one label. Above: the last is `~more`. */
  labelOriginsMax: 16,
  /** Characters of one origin. Above: the end is a hash of the whole. */
  originLengthMax: 256,
  /** Permissions of one agent, token or submission. Above: `definition.invalid`, `tokens.invalid` or `body.invalid`. */
  permissionsMax: 64,
  /** Characters of the name of a permission. Above: `definition.invalid` or `body.invalid`. */
  permissionLengthMax: 256,
  /** How often the line of a check is written to the audit before its act is given up. Then: `audit.unavailable`. */
  auditTriesMax: 6,
  /** Characters of the name of a role of people. Above: `definition.invalid`. */
  personRoleLengthMax: 128,
  /** Roles of one person, and of one step of an escalation. Above: `definition.invalid`. */
  personRolesMax: 16,
  /** Steps of an escalation. Above: `definition.invalid`. */
  personEscalationsMax: 8,
  /** Maximum time limit of a request to a person, and of its reminders and escalations. Above: `definition.invalid`. */
  personDeadlineMsMax: 365 * DAY_MS,
  /** Minimum pause between two reminders of a request. Below: `definition.invalid`. */
  personRemindMsMin: MINUTE_MS,
  /** Reminders of one request. Further ones are not sent. */
  personRemindersMax: 100,
  /** Rounds in which a validator may send an output back. Above: `definition.invalid`. */
  validationRoundsMax: 16,
  /** Reasons of a validator that are sent back; the first ones. */
  validationReasonsMax: 16,
  /** Open requests to people of one process. Above: `person.too-many`. */
  personRequestsMax: 1_024,
  /** Decided requests of a process that it still knows, besides those of the last minutes: the newest ones. */
  personDecidedMax: 64,
  /** How long the entries and notifications of a request are sent again by a host that takes its process over. */
  personTellMs: 15 * MINUTE_MS,
  /** Characters of the reason of a request in listings. Above: cut. */
  requestAboutCharsMax: 160,
  /** Characters of a reason or a rule in a request or a decision. Above: cut, or refused from outside. */
  requestReasonCharsMax: 2 * KIB_BYTES,
  /** Pieces of evidence in a request; the newest ones. */
  evidenceMax: 8,
  /** Characters of one piece of evidence. Above: cut, with a note. */
  evidenceTextCharsMax: 2 * KIB_BYTES,
  /** Rules that one request offers for "always". */
  alwaysRulesMax: 3,
  /** Standing rules of one tenant. Above: those that have ended go first, then the oldest. */
  standingRulesMax: 1_024,
  /** Uses of all standing rules of one tenant together, as their terms allow. Above: rules go as above. */
  standingUsesMax: 16_384,
  /** Uses of a rule that a decision sets no number for. */
  ruleUsesDefault: 10,
  /** Maximum uses of a rule. */
  ruleUsesMax: 1_000,
  /** Lifetime of a rule that a decision sets no time for. */
  ruleMsDefault: DAY_MS,
  /** Maximum lifetime of a rule. */
  ruleMsMax: 365 * DAY_MS,
  /** Characters of the key of a fact. Above: `memory.invalid`. */
  factKeyLengthMax: 256,
  /** Facts that one was derived from. Above: `memory.invalid`. */
  factParentsMax: 256,
  /** Facts of one memory that are not gone. Above: `memory.full`. */
  factsMax: 4_096,
  /** Bytes of the content of one fact. Above: `memory.invalid`. */
  factBytesMax: 32 * KIB_BYTES,
  /** Facts in one answer of a memory, and in one operation. Above: `memory.invalid`. */
  factsReadMax: 64,
  /** Facts that one operation of a memory forgets. Above: `memory.invalid`. */
  factsLostMax: 1_024,
  /** Facts that a recall gives when it sets no limit. */
  factsRecalledDefault: 8,
  /** Maximum tokens of the conversation window of a model. Above: `definition.invalid`. */
  conversationTokensMax: 1_000_000,
  /** Turns and summaries in the conversation window of a model. Above: the oldest become a summary. */
  conversationTurnsMax: 32,
  /** Bytes of the input and of the answer of one turn in a conversation. Above: cut, with a note. */
  conversationTextBytesMax: 8 * KIB_BYTES,
  /** Characters of a text to search facts for. Above: `memory.invalid`. */
  factTextCharsMax: 1 * KIB_BYTES,
  /** Facts of one memory that are gone or replaced and are still named. Above: the oldest are named no longer. */
  memoryPastMax: 256,
  /** Reads that one memory names. Above: the oldest are only counted. */
  memoryReadsMax: 1_024,
  /** Facts that all these reads name together. Above: the oldest reads are only counted. */
  memoryReadFactsMax: 4_096,
  /** Links from facts of one memory to other memories that hold facts derived from them. Above: `memory.full`. */
  memoryLinksMax: 16_384,
  /** Versions of other memories that are gone and that a memory names. Above: the oldest are named no longer. */
  memoryLostParentsMax: 2_048,
  /** Pause after which what was forgotten is looked at again, if the host that forgot it did not finish. */
  memoryUnfinishedMs: 30 * SECOND_MS,
  /**
   * Pause after which the values that were removed are removed once more: a write that was given up may have come in between. No write
   * reaches a store that long after it was given up.
   */
  memoryRemoveAgainMs: 10 * MINUTE_MS,
  /** Removed values that a memory names until then. Above: the oldest are removed again sooner. */
  memoryRemovedMax: 4_096,
  /** Minimum pause until a memory looks for facts whose time is over. */
  memoryExpiryMsMin: 1 * SECOND_MS,
  /** Pause after which a memory looks again where its host did not. */
  memoryExpiryPeriodMs: 1 * HOUR_MS,
  /** Pause between two comparisons of a source that names none. */
  sourceEveryMsDefault: 5 * MINUTE_MS,
  /** Minimum pause between two comparisons of a source. Below: `definition.invalid`. */
  sourceEveryMsMin: SECOND_MS,
  /** Maximum pause between two comparisons of a source. Above: `definition.invalid`. */
  sourceEveryMsMax: DAY_MS,
  /** Maximum pause after comparisons that failed. It doubles from the source's own. */
  sourceBackoffMsMax: HOUR_MS,
  /** Documents of one source. Above: `memory.full`, and nothing is changed. */
  sourceDocumentsMax: 4_096,
  /** Pages of one listing of a source. Above: `source.unavailable`. */
  sourcePagesMax: 4_096,
  /** Characters of the id of a document. Above: `source.unavailable`. */
  sourceIdLengthMax: 256,
  /** Characters of the version of a document. Above: `source.unavailable`. */
  sourceVersionLengthMax: 256,
  /** Time limit of one call of `list` or `read`. Then its signal is aborted: `source.unavailable`. */
  sourceCallMs: 30 * SECOND_MS,
  /** Documents of a source that are read and written at once. */
  sourceReadsAtOnce: 8,
  /** Characters of one fact that can be searched for. Further ones are left out of the index. */
  searchedCharsMax: 8 * KIB_BYTES,
  /** Memories whose index a host holds. Above: the one that was used longest ago is dropped, and built again when it is needed. */
  indexedMemoriesMax: 256,
  /** Characters of the facts in all indexes of a host. Above: as for `indexedMemoriesMax`. */
  indexedCharsMax: 16 * MIB_BYTES,
} as const;
