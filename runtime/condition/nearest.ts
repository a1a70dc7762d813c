/**
 * @module Finds the nearest known name, for messages about a misspelt one. Pure.
 */

/** Returns `; do you mean "city"?` if one name is near, else an empty text. */
export function suggestion(name: string, known: readonly string[]): string {
  const distanceMax = Math.max(1, Math.floor(name.length / 3));
  const near = known.map((item) => ({ item, distance: distance(name.toLowerCase(), item.toLowerCase()) }));
  const [best] = near.filter((entry) => entry.distance <= distanceMax).sort((a, b) => a.distance - b.distance);
  return best === undefined ? "" : `; do you mean ${JSON.stringify(best.item)}?`;
}

/** Counts letters to add, leave out, replace or swap with their neighbour (optimal string alignment). */
function distance(left: string, right: string): number {
  let before: readonly number[] = [];
  let row: readonly number[] = Array.from({ length: right.length + 1 }, (_, column) => column);
  for (let index = 0; index < left.length; index += 1) {
    const next = [index + 1];
    for (let column = 1; column <= right.length; column += 1) {
      const replaced = (row[column - 1] ?? 0) + (right[column - 1] === left[index] ? 0 : 1);
      const isExchanged = left[index] === right[column - 2] && left[index - 1] === right[column - 1];
      const exchanged = isExchanged ? (before[column - 2] ?? Infinity) + 1 : Infinity;
      next.push(Math.min(replaced, (row[column] ?? 0) + 1, (next[column - 1] ?? 0) + 1, exchanged));
    }
    [before, row] = [row, next];
  }
  return row[right.length] ?? 0;
}
