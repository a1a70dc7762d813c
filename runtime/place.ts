/** @module The place of something in a JSON value, as messages name it. Pure. */

/** Maximum number of keys that a message names as the place of a problem. */
const PATH_KEYS_MAX = 16;
/** Characters of a key that a message repeats. */
const KEY_CHARS_MAX = 80;

/** A key of an object, or an index of a list. */
export type Key = string | number;

/** A path that is too long for a message, such as that of a cycle, as its first keys. */
export function placeText(path: readonly Key[]): string {
  return path.length <= PATH_KEYS_MAX
    ? pathText(path)
    : `${pathText(path.slice(0, PATH_KEYS_MAX))} and ${path.length - PATH_KEYS_MAX} levels below`;
}

function pathText(path: readonly Key[]): string {
  let text = "";
  for (const key of path) {
    if (typeof key === "number") text += `[${key}]`;
    else if (/^[A-Za-z_$][\w$-]{0,79}$/.test(key)) text += text === "" ? key : `.${key}`;
    else text += `[${JSON.stringify(key.slice(0, KEY_CHARS_MAX))}]`;
  }
  return text;
}
