/** @module Which Dapr this project runs on, and what a found set of its programs is. */

/** The one Dapr version everything here was measured and tested with. */
export const DAPR_VERSION = "1.18.2";

/** The programs of a Dapr set. */
export const PROGRAMS = ["daprd", "placement", "scheduler"] as const;

/** The name of one of the programs. */
export type Program = (typeof PROGRAMS)[number];

/** A complete set of Dapr programs of the pinned version. */
export interface DaprBinaries {
  readonly daprd: string;
  readonly placement: string;
  readonly scheduler: string;
  readonly version: string;
  /** The folders they were found in, for messages. */
  readonly source: string;
}
