/** @module Stub. */
export function RunsScreen(): string {
  return "stub";
}
