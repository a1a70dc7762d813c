/**
 * @module A vitest reporter that only counts tests and failures outside of tests.
 * The count is always up to date in a file, so that a killed run still has it.
 */
import { writeFileSync } from "node:fs";
import type { Reporter, TestCase, TestModule, TestSuite } from "vitest/node";

/** The variable with the path of the file for the count. */
export const TOTALS_FILE = "TROUPE_TEST_TOTALS";

/** The result of a run. */
export interface Totals {
  readonly passed: number;
  /** Failed tests, hooks, files that do not load, and uncaught errors. */
  readonly failed: number;
  readonly skipped: number;
}

/** Counts over the tests, and writes the count after every file. */
export default class TotalsReporter implements Reporter {
  #passed = 0;
  #failed = 0;
  #skipped = 0;

  /** A test ended, or was skipped. */
  onTestCaseResult(test: TestCase): void {
    const { state } = test.result();
    if (state === "passed") this.#passed += 1;
    else if (state === "failed") this.#failed += 1;
    else this.#skipped += 1;
  }

  /** A group ended; its own errors are those of its hooks. */
  onTestSuiteResult(suite: TestSuite): void {
    if (suite.errors().length > 0) this.#failed += 1;
  }

  /** A file ended; its own errors are those of loading it and of its hooks. */
  onTestModuleEnd(module: TestModule): void {
    if (module.errors().length > 0) this.#failed += 1;
    this.#write();
  }

  /** The run ended. */
  onTestRunEnd(_modules: readonly TestModule[], uncaught: readonly unknown[]): void {
    this.#failed += uncaught.length;
    this.#write();
  }

  #write(): void {
    const file = process.env[TOTALS_FILE];
    const totals: Totals = { passed: this.#passed, failed: this.#failed, skipped: this.#skipped };
    if (file !== undefined) writeFileSync(file, JSON.stringify(totals));
  }
}
