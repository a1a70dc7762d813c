/** @module The part of the limits for people, permissions, labels, memory and sources. */
import { DAY_MS, KIB_BYTES, MINUTE_MS } from "../units.ts";

/** Limits of people, permissions, labels, memory and sources. */
export const TRUST_LIMITS = {
  /** Origins of one label. Above: the last is `~more`. */
  labelOriginsMax: 16,
  /** Characters of one origin. Above: cut. */
  originLengthMax: 256,
  /** Permissions of one agent, token or submission. Above: `definition.invalid`, `tokens.invalid` or `body.invalid`. */
  permissionsMax: 64,
  /** Characters of the name of a permission. Above: `definition.invalid` or `body.invalid`. */
  permissionLengthMax: 256,
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
  factParentsMax: 64,
  /** Facts of one memory that are not gone. Above: `memory.full`. */
  factsMax: 4_096,
  /** Bytes of the content of one fact. Above: `memory.invalid`. */
  factBytesMax: 32 * KIB_BYTES,
} as const;
