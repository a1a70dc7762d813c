/** @module Parts of the README and of docs/ generated from the sources: code and tables. `node test/examples/readme.ts` updates them. */
import { globSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { FAULTS } from "../../runtime/faults.ts";
import { LIMITS } from "../../runtime/limits.ts";
import { type ShapeEnd, SHAPES } from "../models/shapes.ts";

export const ROOT = join(import.meta.dirname, "..", "..");
const SECOND_MS = 1_000;
const MINUTE_MS = 60 * SECOND_MS;
const HOUR_MS = 60 * MINUTE_MS;
const DAY_MS = 24 * HOUR_MS;
const KIB_BYTES = 1_024;
const MIB_BYTES = 1_024 * KIB_BYTES;
/** The programs whose routes docs/patterns.md shows. */
const PATTERNS = ["chaining", "routing", "vote", "workers", "evaluator"].map((name) => `examples/12-patterns/${name}.ts`);

/** Returns the text between `<!-- begin NAME -->` and `<!-- end NAME -->`; throws if there is no such part. */
export function part(text: string, name: string): string {
  const [begin, end] = [`<!-- begin ${name} -->\n`, `<!-- end ${name} -->`];
  const [from, to] = [text.indexOf(begin), text.indexOf(end)];
  if (from < 0 || to < from) throw new Error(`there is no part ${JSON.stringify(name)}`);
  return text.slice(from + begin.length, to);
}

/** A document by its path in the project. */
export function document(path: string): string {
  return readFileSync(join(ROOT, path), "utf8");
}

/** A part of a document that is generated from the sources alone. */
export interface Generated {
  readonly path: string;
  readonly name: string;
  readonly text: string;
}

/** All parts that are generated from the sources alone. */
export function generated(): readonly Generated[] {
  return [
    { path: "README.md", name: "examples/11-support/system.ts", text: programText("examples/11-support/system.ts") },
    { path: "docs/first-agent.md", name: "create-troupe/template/system.ts", text: programText("create-troupe/template/system.ts") },
    {
      path: "docs/docker.md",
      name: "create-troupe/template/Dockerfile",
      text: programText("create-troupe/template/Dockerfile", "dockerfile"),
    },
    {
      path: "docs/docker.md",
      name: "create-troupe/template/compose.yaml",
      text: programText("create-troupe/template/compose.yaml", "yaml"),
    },
    ...PATTERNS.map((path) => ({ path: "docs/patterns.md", name: `route of ${path}`, text: routeText(path) })),
    { path: "docs/limits.md", name: "limits", text: limitsTable() },
    { path: "docs/errors.md", name: "errors", text: errorsTable() },
    { path: "docs/gateway.md", name: "shapes", text: shapesTable() },
  ];
}

function programText(path: string, language = "ts"): string {
  return `\`\`\`${language}\n${document(path)}\`\`\`\n`;
}

/** The definition of the route of a program. */
function routeText(path: string): string {
  const found = /^const \w+ = route\([\s\S]*?\n(?=\n)/m.exec(document(path))?.[0];
  if (found === undefined) throw new Error(`${path}: no route was found`);
  return `\`\`\`ts\n${found}\`\`\`\n`;
}

function errorsTable(): string {
  const rows = Object.entries(FAULTS).map(
    ([code, row]) => `| \`${code}\` | ${row.httpStatus} | ${row.retryable ? "yes" : "no"} | ${row.meaning} | ${row.fix} |`,
  );
  return ["| Code | HTTP | Tried again | Meaning | What to do |", "|---|---|---|---|---|", ...rows, ""].join("\n");
}

function shapesTable(): string {
  const rows = SHAPES.map(({ name, streamed, sent, end }) => `| ${name} | ${streamed ? "" : sent.status} | ${endText(end)} |`);
  return ["| What a server sends | HTTP | What it is |", "|---|---|---|", ...rows, ""].join("\n");
}

function endText(end: ShapeEnd): string {
  if ("fault" in end) return `\`${end.fault}\`${end.retryAfterMs === undefined ? "" : `, again after ${end.retryAfterMs} ms`}`;
  const { calls = [], finish = "stop" } = end.reply;
  const what = calls.length === 0 ? "a reply" : calls.length === 1 ? "a reply with a call" : `a reply with ${calls.length} calls`;
  return finish === "length" ? `${what}, cut by the output limit` : finish === "filter" ? `${what}, cut by a filter` : what;
}

/** Values come from the module, descriptions from the comments above them, each on one line. */
function limitsTable(): string {
  const tables = ["runtime/limits.ts", ...globSync("runtime/limits/*.ts", { cwd: ROOT }).toSorted()].map(document);
  const lines = tables.flatMap((source) => source.slice(source.search(/^export const \w*LIMITS/m)).split("\n"));
  const values: Readonly<Record<string, number>> = LIMITS;
  const rows: string[] = [];
  let comment = "";
  for (const line of lines) {
    comment = /^ {2}\/\*\* (.*) \*\/$/.exec(line)?.[1] ?? comment;
    const name = /^ {2}(\w+):/.exec(line)?.[1];
    if (name === undefined) continue;
    const value = values[name];
    if (value === undefined) throw new Error(`limits.ts: ${name} was not understood`);
    rows.push(`| \`${name}\` | ${valueText(name, value)} | ${comment} |`);
  }
  if (rows.length !== Object.keys(values).length) throw new Error("limits.ts: a constant was not understood");
  return ["| Limit | Value | What it bounds, and what happens there |", "|---|---|---|", ...rows, ""].join("\n");
}

function valueText(name: string, value: number): string {
  if (/Bytes/.test(name)) return value % MIB_BYTES === 0 ? `${value / MIB_BYTES} MiB` : `${value / KIB_BYTES} KiB`;
  if (/Ms(?![a-z])/.test(name)) return timeText(value);
  return value.toLocaleString("en-US");
}

function timeText(ms: number): string {
  for (const [unit, text] of [
    [DAY_MS, "d"],
    [HOUR_MS, "h"],
    [MINUTE_MS, "min"],
    [SECOND_MS, "s"],
  ] as const)
    if (ms >= unit && ms % unit === 0) return `${ms / unit} ${text}`;
  return `${ms} ms`;
}

/** Files of the starter that are made of files of the project: those of the redis profile, at the address that compose.yaml gives Redis. */
export function starterFiles(): ReadonlyMap<string, string> {
  const deploy = "create-troupe/template/deploy";
  const components = globSync("components/redis/*.yaml", { cwd: ROOT }).map((path): [string, string] => [
    path.replace("components/redis", `${deploy}/components`),
    document(path).replace("localhost:6379", "redis:6379"),
  ]);
  return new Map([...components, [`${deploy}/configuration.yaml`, document("components/configuration.yaml")]]);
}

/** Writes the generated parts into their documents, and the generated files. */
function update(): void {
  for (const [path, text] of starterFiles()) writeFileSync(join(ROOT, path), text);
  for (const { path, name, text } of generated()) {
    const old = document(path);
    const begin = `<!-- begin ${name} -->\n`;
    writeFileSync(
      join(ROOT, path),
      old.replace(`${begin}${part(old, name)}`, () => `${begin}${text}`),
    );
  }
}

if (import.meta.main) update();
