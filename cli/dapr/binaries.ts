/** @module The Dapr version this project runs on, and the type of a complete set of its programs. */

/** The pinned Dapr version; tests and measurements used this one. */
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
  /** The folders they were found in; for messages. */
  readonly source: string;
}
