/** @module The Dapr version that this project builds, and the type of a complete set of its programs. */

/** The version that is built where none is found: the newest whose modules can all be had. Tests and measurements used this one. */
export const DAPR_VERSION = "1.18.2";

/** The programs of a Dapr set. */
export const PROGRAMS = ["daprd", "placement", "scheduler"] as const;

/** The name of one of the programs. */
export type Program = (typeof PROGRAMS)[number];

/** A complete set of Dapr programs of one version. */
export interface DaprBinaries {
  readonly daprd: string;
  readonly placement: string;
  readonly scheduler: string;
  readonly version: string;
  /** Why a version that is accepted is not a tested one. */
  readonly untested?: string;
  /** The folders they were found in; for messages. */
  readonly source: string;
}
