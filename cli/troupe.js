#!/usr/bin/env node
/**
 * @module The door of the command, in plain JavaScript: a Node that cannot read TypeScript must still be able to say so.
 */
const [major = 0, minor = 0] = process.versions.node.split(".").map(Number);
if (major < 22 || (major === 22 && minor < 18)) {
  process.stderr.write(
    `NODE_OLD: Troupe needs Node.js 22.18 or later, and this is ${process.versions.node}.\nWhat to do: install Node.js 24 (https://nodejs.org). Only in a clone of Troupe, on linux-x64, \`npm install\` brings it along for \`npm start\`.\n`,
  );
  process.exit(1);
}
await import("./main.ts");
