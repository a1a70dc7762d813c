/** @module Each check can fail: it finds the fault in bad files, and accepts similar good ones. */
import { describe, expect, test } from "vitest";
import { type CheckName, CHECKS } from "./checks.ts";
import { line, Project } from "./project.ts";

type Files = Readonly<Record<string, string>>;

/** A check's bad files, a part of the expected finding, and the same files without the fault. */
interface Sample {
  readonly bad: Files;
  readonly says: string;
  readonly good: Files;
}

const DOC = "/** @module x */\n";
const A = "runtime/a.ts";
const B = "runtime/b.ts";
const LIMITS = "runtime/limits.ts";
const FAULTS = "runtime/faults/of-work.ts";
// Bad samples are concatenated, so that a search for such words in the sources finds only real ones.
const MARK = "TO" + "DO";
const ANY = "an" + "y";
const TS = "@" + "ts-";
const [ONLY, SKIP] = ["on" + "ly", "sk" + "ip"];
/** Words that the project does not use, put together like the others. */
const [NO_ONE, ALL_ONE, OLD_CHANCE, OLD_DESK] = ["no" + "body", "what" + "ever", "by ch" + "ance", "at the de" + "sk"];
const lines = (count: number): string => "f();\n".repeat(count);
const inFile = (path: string, bad: string, says: string, good: string): Sample => ({ bad: { [path]: bad }, says, good: { [path]: good } });

const SAMPLES: Readonly<Record<CheckName, readonly Sample[]>> = {
  directions: [
    inFile(A, 'import x from "express";', "runtime/ may not import express", 'import { z } from "zod";'),
    inFile(A, 'import { x } from "../actors/host/host.ts";', "may not import actors/host/host.ts", 'import { x } from "./b.ts";'),
    inFile(A, 'export { x } from "../agents/index.ts";', "may not import agents/index.ts", 'export { x } from "./b.ts";'),
    inFile(A, 'const x = await import("node:fs");', "may not import node:fs", 'const x = await import("zod");'),
    inFile(A, 'let x: import("../cli/up.ts").Up;', "may not import cli/up.ts", 'let x: import("./b.ts").Up;'),
    inFile(
      "agents/a.ts",
      'import type { Host } from "../actors/host/host.ts";',
      "agents/ may not import actors/host/host.ts",
      'import type { Fault } from "../runtime/faults.ts";',
    ),
    inFile(
      "actors/engine/turn.ts",
      'import { s } from "../dapr/store.ts";',
      "may not import actors/dapr/store.ts",
      'import { s } from "./ports.ts";',
    ),
    inFile(
      "actors/host/recovery.ts",
      'import { DaprClient } from "@dapr/dapr";',
      "may not import @dapr/dapr",
      'import Queue from "p-queue";',
    ),
    inFile("actors/dapr/store.ts", 'import e from "express";', "may not import express", 'import { Pool } from "undici";'),
    inFile("cli/main.ts", 'import { x } from "../test/x.ts";', "cli/ may not import test/x.ts", 'import { x } from "../actors/index.ts";'),
    inFile(
      "examples/01-x/run.ts",
      'import { x } from "../../runtime/slip.ts";',
      "examples/ may not import runtime/slip.ts",
      'import { x } from "troupe";',
    ),
  ],
  entriesWithoutDapr: [
    {
      bad: {
        "agents/index.ts": 'export { a } from "./a.ts";',
        "agents/a.ts": 'import { b } from "./b.ts";',
        "agents/b.ts": 'import e from "express";',
      },
      says: "reaches express: agents/index.ts -> agents/a.ts -> agents/b.ts -> express",
      good: { "agents/index.ts": 'export { a } from "./a.ts";', "agents/a.ts": 'import type { Express } from "express";' },
    },
    {
      bad: { "testing/index.ts": 'import { type X } from "@dapr/dapr";' },
      says: "reaches @dapr/dapr",
      good: { "testing/index.ts": 'import type { X } from "@dapr/dapr";' },
    },
  ],
  noRings: [
    {
      bad: { [A]: 'import { b } from "./b.ts";', [B]: 'import { c } from "./c.ts";', "runtime/c.ts": 'import { a } from "./a.ts";' },
      says: "runtime/a.ts -> runtime/b.ts -> runtime/c.ts -> runtime/a.ts",
      good: { [A]: 'import { b } from "./b.ts";', [B]: 'import type { a } from "./a.ts";' },
    },
  ],
  purity: [
    inFile(A, "const t = Date.now();", "Date.now in runtime/: take the time", "function f(Date: { now(): number }) { return Date.now(); }"),
    inFile(A, "const t = new Date();", "Date in runtime/", "const t = Date.parse(text);"),
    inFile(A, "const t = performance.now();", "performance.now in runtime/", "const t = state.performance;"),
    inFile(A, "const t = Math.random();", "Math.random in runtime/", "const t = Math.max(1, 2);"),
    inFile(A, "const t = crypto.randomUUID();", "crypto.randomUUID in runtime/", "const t = context.crypto;"),
    inFile(A, "setTimeout(f, ms);", "setTimeout in runtime/", "const x = { setTimeout: 1 };"),
    inFile(
      A,
      "const later = { setImmediate };",
      "setImmediate in runtime/",
      "function f(setImmediate: number) { return { setImmediate }; }",
    ),
    inFile(A, "void fetch(url);", "fetch in runtime/", "const fetch = 1; void fetch;"),
    inFile(A, "const x = process.env;", "process.env in runtime/", "function f(process: State) { return process.env; }"),
    inFile(A, "console.log(1);", "console.log in runtime/", "log.console(1);"),
    inFile(A, "const x = globalThis.fetch;", "globalThis.fetch in runtime/", "const x = state.globalThis;"),
    inFile(A, 'import { x } from "node:fs";', "node:fs in runtime/", 'const name = "node:fs";'),
    inFile(A, "async function f() { await g(); }", "await in runtime/", "function f() { return g(); }"),
  ],
  ownEntries: [
    inFile(
      A,
      "function f(works: Readonly<Record<string, number>>, id: string) { return works[id]; }",
      "works[id] also finds what objects inherit",
      "function f(works: Readonly<Record<string, number>>, id: string) { return entryOf(works, id); }",
    ),
    {
      bad: {
        [A]: "const State = z.strictObject({ works: z.record(z.string(), Work).optional() });",
        [B]: "const work = state.works[body.workId];",
      },
      says: "state.works[body.workId] also finds what objects inherit",
      good: {
        [A]: "const State = z.strictObject({ works: z.array(Work), names: z.record(z.string(), Work) });",
        [B]: 'const work = state.works[index]; const first = state.names["first"];',
      },
    },
    inFile(
      A,
      "const made: Record<string, number> = {}; for (const key of Object.keys(other)) made[key] = 1;",
      "made[key] also finds what objects inherit",
      "function f(made: { [key: string]: number }) { for (const key of Object.keys(made)) g(made[key]); }",
    ),
    inFile(
      A,
      "function f(made: Record<string, number>, key: string) { return Object.hasOwn(other, key) ? made[key] : 0; }",
      "made[key] also finds what objects inherit",
      "function f(made: Record<string, number>, key: string) { return Object.hasOwn(made, key) ? made[key] : 0; }",
    ),
  ],
  noAny: [
    inFile(A, `let x: ${ANY};`, `${ANY}: name the type`, `let x: unknown; const ${ANY} = 1;`),
    inFile(A, `f(x as ${ANY});`, `${ANY}: name the type`, "f(x as Any);"),
    inFile(A, `f<${ANY}>(x); let y: Array<${ANY}[]>;`, `${ANY}: name the type`, `f<"${ANY}">(x);`),
  ],
  noBang: [inFile(A, "f(x!);", "handle the case", "f(!x);")],
  noLeftOut: [
    inFile("test/a.test.ts", `test.${ONLY}('x', f);`, `test.${ONLY}`, `test('x', f); list.${ONLY}();`),
    inFile("test/a.test.ts", `describe.${SKIP}('x', f);`, `describe.${SKIP}`, `describe.${SKIP}If(absent)('x', f);`),
    inFile("test/a.test.ts", `test.concurrent.${ONLY}.each([1])('x', f);`, `test.concurrent.${ONLY}`, "test.concurrent.each([1])('x', f);"),
    inFile("test/a.test.ts", `it.${MARK.toLowerCase()}('x');`, `it.${MARK.toLowerCase()}`, "it('x', f);"),
  ],
  noConsole: [
    {
      bad: { "actors/a.ts": "console.log(1);" },
      says: "console: use the log",
      good: { "cli/a.ts": "console.log(1);", "actors/a.ts": "log.info(1);" },
    },
  ],
  noMarks: [
    inFile(A, `// ${MARK} later`, `${MARK}: finish it`, `const x = "${MARK}"; // to do`),
    inFile(A, `f(); /* ${"FIX" + "ME"} */`, "finish it", "f(); /* fixed */"),
    inFile(A, `function f() {\n  g();\n  // ${MARK}\n}`, "finish it", "function f() {\n  g();\n  // done\n}"),
    inFile(A, `// ${TS}ignore\nf();`, "silences the compiler", "// ts ignores this\nf();"),
    inFile(A, `// ${TS}nocheck`, "silences the compiler", "// checked"),
    {
      bad: { [A]: `// ${TS}expect-error x\nf();` },
      says: `${TS}expect-error outside`,
      good: { "test/types/a.ts": `// ${TS}expect-error x\nf();` },
    },
  ],
  noDeadCode: [
    inFile(A, "// const x = f(1);\ng();", "code in a comment", "// The value of f is the one that counts;\ng();"),
    inFile(A, "/* if (x) { f(); } */\ng();", "code in a comment", "/** if (x) { f(); } */\ng();"),
    inFile(A, "function f() {\n  g();\n  // return h();\n}", "code in a comment", "function f() {\n  g();\n  // Returns what h gives.\n}"),
    inFile(A, "// if (ready) {\ng();", "code in a comment", "// See journal.ts { there }\ng();"),
  ],
  fileSizes: [inFile(A, lines(351), "351 lines", lines(350))],
  functionSizes: [
    inFile(
      A,
      `const f = () => {\n${lines(74)}};`,
      "function of 76 lines",
      `const f = () => {\n${lines(73)}};\ndescribe("x", () => {\n${lines(100)}});`,
    ),
  ],
  lineSizes: [inFile(A, `// ${"x".repeat(138)}`, "line of 141 characters", `// ${"x".repeat(137)}`)],
  moduleDocs: [
    inFile(A, "// x\nf();", "does not begin with", `${DOC}f();`),
    inFile("cli/x.js", "#!/usr/bin/env node\nf();", "does not begin with", `#!/usr/bin/env node\n${DOC}f();`),
  ],
  exportDocs: [
    inFile(A, "export function f(): void {}", "export f has no doc comment", "/** Does it. */\nexport function f(): void {}"),
    inFile(
      "actors/a.ts",
      "export interface Parts {}",
      "export Parts has no doc comment",
      "/** Does it. */\nexport interface Parts {}\ninterface Own {}",
    ),
    inFile(
      "agents/a.ts",
      "/** */\nexport const x = 1;",
      "export x has no doc comment",
      "/** A trip. */\nexport const Trip = z.object({});\nexport type Trip = z.infer<typeof Trip>;",
    ),
  ],
  limitDocs: [
    inFile(
      LIMITS,
      "export const LIMITS = { aMax: 1 } as const;",
      "limit aMax has no doc comment",
      "export const LIMITS = {\n  /** Above: refused. */\n  aMax: 1 } as const;",
    ),
  ],
  unitsInNames: [
    inFile(A, "const TIMEOUT = 5_000;", "TIMEOUT does not say its unit", "const TIMEOUT_MS = 5_000;\nconst RACERS = 3;\nlet serial = 0;"),
    inFile(A, "const pause = 60 * 1_000;", "pause does not say its unit", "const pauseMs = 60 * 1_000;"),
    inFile(
      LIMITS,
      "export const LIMITS = { resend: 2 * SECOND_MS } as const;",
      "resend does not say its unit",
      "export const LIMITS = { resendMs: 2 * SECOND_MS } as const;",
    ),
  ],
  namedPauses: [
    inFile("actors/a.ts", "setTimeout(f, 500);", "500 in setTimeout", "setTimeout(f, PAUSE_MS); setImmediate(f); setTimeout(f, 0);"),
    inFile("cli/a.ts", "await sleep(20);", "20 in sleep", "await sleep(POLL_MS);"),
  ],
  deadFiles: [
    {
      bad: { [A]: "f();", [B]: "g();", "cli/main.ts": 'import "../runtime/a.ts";' },
      says: "runtime/b.ts:1 not imported",
      good: { [A]: "f();", "cli/main.ts": 'import "../runtime/a.ts"; run("b.ts");', [B]: "g();" },
    },
  ],
  deadExports: [
    {
      bad: { [A]: "export const x = 1; export const y = 2;", [B]: 'import { x } from "./a.ts";' },
      says: "y is not imported",
      good: { [A]: "export const x = 1;", [B]: 'import { x as z } from "./a.ts";' },
    },
    {
      bad: { [A]: "export type T = 1;" },
      says: "T is not imported",
      good: {
        [A]: "export type T = 1; export function f(t: T) {}",
        [B]: 'export { f } from "./a.ts";',
        "test/x.test.ts": 'import * as b from "../runtime/b.ts";',
      },
    },
  ],
  deadLimits: [
    {
      bad: { [LIMITS]: "export const LIMITS = { aMax: 1 } as const; f(LIMITS.aMax);" },
      says: "the limit aMax is not read",
      good: { [LIMITS]: "export const LIMITS = { aMax: 1 } as const;", [A]: "f(LIMITS.aMax);" },
    },
  ],
  deadFaults: [
    {
      bad: { [FAULTS]: 'export const WORK_FAULTS = { "a.b": {} } as const satisfies X;', "test/x.test.ts": 'f("a.b");' },
      says: "the fault a.b is not raised",
      good: { [FAULTS]: 'export const WORK_FAULTS = { "a.b": {} } as const satisfies X;', [A]: 'f("a.b");' },
    },
  ],
  dependencies: [
    {
      bad: { "package.json": '{"dependencies":{"zod":"1"}}' },
      says: "the dependency zod is not imported",
      good: { "package.json": '{"dependencies":{"zod":"1"}}', [A]: 'import { z } from "zod";' },
    },
    {
      bad: { "package.json": '{"devDependencies":{"zod":"1"}}', [A]: 'import { z } from "zod/mini";' },
      says: "zod is not among the dependencies",
      good: { "package.json": '{"devDependencies":{"zod":"1"}}', "test/a.ts": 'import { z } from "zod/mini";' },
    },
  ],
  noPlaces: [
    inFile(
      "docs/a.md",
      `see ${["", "work", "main"].join("/")}`,
      "a folder of one machine",
      `see https://x.dev${["", "work", "main"].join("/")} and ~${["", "work", "main"].join("/")}`,
    ),
    inFile("a.yaml", `dir: "${["", "home", "me"].join("/")}"`, "a folder of one machine", "dir: ${HOME}/home/me"),
    inFile(A, `f("${["", "tmp", "x"].join("/")}");`, "a fixed temporary folder", "f(tmpdir());"),
    inFile("package-lock.json", `"https://${["registry", "npmjs", "org"].join(".")}/x"`, "the host of a registry", '"registry": "none"'),
    inFile("package-lock.json", `${'"resolved"'}: "https://mirror.example/x.tgz"`, "the host of a registry", '"resolved": "toolchain"'),
    inFile("docs/a.md", `key ${"sk-"}${"a1B2".repeat(6)}`, "a secret", "key sk-..."),
  ],
  plainEnglish: [
    inFile(A, `// Heard by ${NO_ONE}.`, `"${NO_ONE}": write`, "// Not received by any host."),
    inFile("docs/a.md", `It takes ${ALL_ONE} comes.`, `"${ALL_ONE}": write`, "It accepts any message."),
    inFile(
      "docs/a.md",
      `It waits ${OLD_DESK}, ${OLD_CHANCE}.`,
      `"${OLD_CHANCE}": write`,
      "It waits in the dead letter queue. The travel desks.",
    ),
    inFile(A, "poi" + "soned();", "invalid message", "invalid();"),
    inFile("docs/a.md", "x ".repeat(101), "line of 202 characters", `| ${"x ".repeat(101)}|`),
  ],
  liveTests: [
    {
      bad: {
        "test/actors/x.test.ts": 'import { rig } from "./rig.ts";',
        "test/actors/rig.ts": 'import { Cluster } from "../../cli/dapr/index.ts";',
      },
      says: "test/actors/rig.ts starts something of cli/dapr/index.ts",
      good: {
        "test/live/x.test.ts": 'import { Cluster } from "../../cli/dapr/index.ts";',
        "test/actors/x.test.ts": 'import { findDapr } from "../../cli/dapr/index.ts";',
      },
    },
  ],
};

describe.each(Object.entries(SAMPLES))("%s", (name, samples) => {
  const check = CHECKS[name as CheckName];
  test.each(samples)("finds: $says", ({ bad, says, good }) => {
    expect(check(Project.of(bad)).map(line).join("\n")).toContain(says);
    expect(check(Project.of(good)).map(line)).toEqual([]);
  });
});

test("a finding names its file and line", () => {
  const project = Project.of({ [A]: `${DOC}\nlet x: ${ANY};\n` });
  expect(CHECKS.noAny(project).map(line)).toEqual([`${A}:3 ${ANY}: name the type, or use unknown`]);
});
