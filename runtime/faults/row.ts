/** @module A row of the fault table. */

/** What decides about a fault, wherever its code was defined. */
export interface FaultRules {
  /** `true`: the same request may succeed later, so a policy may try again. */
  readonly retryable: boolean;
  /** Status of an HTTP answer that carries this fault. */
  readonly httpStatus: number;
  /** What to do about it. */
  readonly fix: string;
}

/** A row of the table. */
export interface FaultRow extends FaultRules {
  readonly meaning: string;
}
