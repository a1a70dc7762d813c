/** @module Stub. */
export function RunScreen(): string {
  return "stub";
}
