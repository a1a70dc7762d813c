/** @module `npm start` in a clone: the command with the words given, or its demo when there are none. */
if (process.argv.length === 2) process.argv.push("demo");
await import("./troupe.js");
