/** @module A row of the fault table. */

/** The rules of a fault, for codes of the table and user-defined ones. */
export interface FaultRules {
  /** `true`: the same request may succeed later, so a retry policy may try again. */
  readonly retryable: boolean;
  /** HTTP status of a response that carries this fault. */
  readonly httpStatus: number;
  /** What to do about it. */
  readonly fix: string;
}

/** A row of the table. */
export interface FaultRow extends FaultRules {
  readonly meaning: string;
}
