#!/usr/bin/env node
/**
 * @module The door of the command, in plain JavaScript: a Node or a zod that is too old must be named before anything needs more of it.
 */

/** Says what is wrong and what to do, and ends. */
function refuse(code, what, fix) {
  process.stderr.write(`${code}: ${what}\nWhat to do: ${fix}\n`);
  process.exit(1);
}

const [major = 0, minor = 0] = process.versions.node.split(".").map(Number);
if (major < 22 || (major === 22 && minor < 18))
  refuse(
    "NODE_OLD",
    `Troupe needs Node.js 22.18 or later, and this is ${process.versions.node}.`,
    "install Node.js 24 (https://nodejs.org). Only in a clone of Troupe, on linux-x64, `npm install` brings it along for `npm start`.",
  );
const zod = await import("zod").catch(() => undefined);
if (zod === undefined || !("toJSONSchema" in zod))
  refuse("ZOD_OLD", `Troupe needs zod 4, and this project has ${zod === undefined ? "none" : "an older one"}.`, "npm install zod@4");
await import("./main.ts");
