/** @module Finds the command that a misspelt word probably means. Pure. */

/** The word of `known` that differs by one letter too many, one missing, or two neighbours in the wrong order. */
export function nearWord(word: string, known: readonly string[]): string | undefined {
  return known.find((one) => isSwapped(word, one) || isOneMore(word, one) || isOneMore(one, word));
}

function isSwapped(word: string, one: string): boolean {
  const at = [...one].findIndex((letter, index) => letter !== word[index]);
  return word.length === one.length && at >= 0 && word === `${one.slice(0, at)}${one[at + 1] ?? ""}${one[at] ?? ""}${one.slice(at + 2)}`;
}

function isOneMore(long: string, short: string): boolean {
  if (long.length !== short.length + 1) return false;
  return [...long].some((_, index) => long.slice(0, index) + long.slice(index + 1) === short);
}
