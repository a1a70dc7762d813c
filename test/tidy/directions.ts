/** @module Which folder may import what: the layers, the entries without Dapr, and no rings. */
import { at, type Check, type Finding } from "./project.ts";
import { edges, reach, rings } from "./imports.ts";

/** What the files under a path may import: paths with a prefix, and packages by name. The first matching rule applies. */
interface Rule {
  readonly under: string;
  readonly may: readonly string[];
  readonly packages: readonly string[] | "any";
}

const RULES: readonly Rule[] = [
  { under: "runtime/", may: ["runtime/"], packages: ["zod", "@noble/hashes", "@marcbachmann/cel-js", "minisearch", "tokenx"] },
  // acorn parses the source of mappings, so that none makes a choice that is recorded once and for all.
  { under: "agents/mapping-source.ts", may: ["agents/definition.ts", "runtime/limits.ts"], packages: ["acorn"] },
  // Loaded when a host connects an endpoint.
  { under: "agents/model/openai.ts", may: ["agents/", "runtime/"], packages: ["openai"] },
  { under: "agents/", may: ["agents/", "runtime/"], packages: ["zod"] },
  // The rooms of the shell, lowest first: none imports a room above it.
  { under: "actors/engine/", may: ["actors/engine/", "runtime/"], packages: ["zod", "uuid", "cockatiel", "node:*"] },
  // The SDK is the user's, loaded only if the environment asks for it.
  { under: "actors/telemetry/export.ts", may: ["actors/engine/log.ts"], packages: ["@opentelemetry/sdk-node"] },
  { under: "actors/telemetry/", may: ["actors/telemetry/", "actors/engine/", "runtime/"], packages: ["@opentelemetry/api", "node:*"] },
  {
    under: "actors/host/",
    may: ["actors/host/", "actors/engine/", "actors/telemetry/", "agents/", "runtime/"],
    packages: ["zod", "p-queue", "node:*"],
  },
  { under: "actors/gateway/", may: ["actors/gateway/", "actors/engine/", "agents/", "runtime/"], packages: ["zod"] },
  {
    under: "actors/operations/",
    may: [
      ...["actors/operations/", "actors/replay/", "actors/retention/", "actors/host/", "actors/engine/", "actors/telemetry/"],
      ...["agents/", "runtime/"],
    ],
    packages: ["zod", "node:*"],
  },
  {
    under: "actors/retention/",
    may: ["actors/retention/", "actors/host/", "actors/engine/", "agents/", "runtime/"],
    packages: ["zod", "p-queue"],
  },
  // Where releases are read from: files and texts of people.
  { under: "actors/releases/", may: ["actors/releases/", "actors/engine/", "runtime/"], packages: ["yaml", "node:*"] },
  // A fork runs a system in memory, so it stands above the operations.
  // Handlers over their records: no port is called.
  {
    under: "actors/replay/",
    may: ["actors/replay/", "actors/host/", "actors/engine/", "actors/telemetry/", "agents/", "runtime/"],
    packages: ["@opentelemetry/api"],
  },
  {
    under: "actors/fork/",
    may: [
      "actors/fork/",
      "actors/operations/",
      "actors/host/",
      "actors/memory/",
      "actors/engine/",
      "actors/telemetry/",
      "agents/",
      "runtime/",
    ],
    packages: ["zod"],
  },
  { under: "actors/memory/", may: ["actors/memory/", "actors/engine/", "runtime/"], packages: [] },
  // Dapr's own client is the user's, loaded by its first use.
  { under: "actors/dapr/user-client.ts", may: [], packages: ["@dapr/dapr", "node:*"] },
  { under: "actors/dapr/", may: ["actors/dapr/", "actors/engine/", "runtime/"], packages: ["undici", "zod", "p-queue", "node:*"] },
  {
    under: "actors/http/",
    may: ["actors/http/", "actors/operations/operations.ts", "actors/operations/acts.ts", "actors/engine/", "runtime/"],
    packages: ["express", "jose", "p-queue", "zod", "node:*"],
  },
  // The only place where the shell is connected to Dapr.
  { under: "actors/index.ts", may: ["actors/", "agents/", "runtime/"], packages: ["uuid", "node:*"] },
  // The entry for tests also contains the simulator, which is built on the shell.
  { under: "testing/index.ts", may: ["testing/", "actors/memory/", "actors/engine/", "simulation/", "runtime/"], packages: [] },
  // The scripted model: only its server performs anything.
  { under: "testing/scripted/server.ts", may: ["testing/scripted/", "runtime/"], packages: ["node:*"] },
  { under: "testing/scripted/", may: ["testing/scripted/", "runtime/"], packages: ["zod", "yaml", "tokenx"] },
  {
    under: "testing/",
    may: ["testing/", "actors/", "!actors/dapr/", "!actors/http/", "!actors/index.ts", "agents/", "runtime/"],
    packages: ["zod"],
  },
  // The tools of MCP servers. Its client is the user's, loaded by the first call.
  {
    under: "mcp/",
    may: ["mcp/", "agents/", "runtime/"],
    packages: [
      "@modelcontextprotocol/client",
      "@modelcontextprotocol/client/stdio",
      "ajv",
      "ajv-formats",
      "cockatiel",
      "p-queue",
      "zod",
      "node:*",
    ],
  },
  // Ready-made sources of documents: they read what is on the machine.
  { under: "sources/", may: ["sources/", "agents/", "runtime/"], packages: ["node:*"] },
  // Loops of other libraries in handlers. Each library is the user's, in an entry of its own.
  { under: "adapters/ai-sdk/", may: ["adapters/ai-sdk/", "adapters/recorded-call.ts", "agents/", "runtime/"], packages: ["ai"] },
  {
    under: "adapters/openai-agents/",
    may: ["adapters/openai-agents/", "adapters/recorded-call.ts", "agents/", "runtime/"],
    packages: ["@openai/agents"],
  },
  { under: "adapters/", may: ["adapters/", "runtime/"], packages: [] },
  // Runs in browsers too: rules and types, and the fetch of the environment.
  { under: "client/", may: ["client/", "agents/", "runtime/"], packages: ["zod"] },
  {
    under: "cli/",
    may: ["cli/", "client/", "mcp/", "actors/", "agents/", "runtime/", "testing/scripted/model.ts"],
    packages: ["commander", "yaml", "zod", "undici", "uuid", "pino", "node:*"],
  },
  {
    under: "examples/",
    may: ["examples/", "client/index.ts", "agents/index.ts", "actors/index.ts", "testing/index.ts", "mcp/index.ts", "sources/index.ts"],
    packages: ["zod", "openai", "node:*"],
  },
  { under: "bench/", may: ["bench/", "cli/", "actors/", "testing/", "agents/", "runtime/"], packages: "any" },
  { under: "test/", may: [""], packages: "any" },
  { under: "", may: [""], packages: "any" },
];

/** Packages that no program without Dapr may load, by entry. */
const KEPT_OUT: Readonly<Record<string, readonly string[]>> = {
  "agents/index.ts": ["@dapr/dapr", "express", "undici", "pino", "p-queue", "uuid", "openai", "@opentelemetry/api", "node:*"],
  "client/index.ts": ["@dapr/dapr", "express", "undici", "pino", "p-queue", "uuid", "openai", "@opentelemetry/api", "node:*"],
  "testing/index.ts": [
    "@dapr/dapr",
    "express",
    "undici",
    "pino",
    "openai",
    "node:http",
    "node:http2",
    "node:net",
    "node:fs",
    "node:fs/promises",
    "node:child_process",
  ],
};

/** Every import follows the rule of its folder. */
export const directions: Check = (project) =>
  edges(project).flatMap((edge) => {
    const rule = RULES.find(({ under }) => edge.from.startsWith(under));
    if (rule === undefined) return [];
    const ok = edge.isPackage ? rule.packages === "any" || listed(rule.packages, edge.to) : allows(rule.may, edge.to);
    return ok ? [] : [at(edge.node, `${rule.under} may not import ${edge.to}`)];
  });

/** The entries for programs without Dapr load none of it, directly or indirectly, until what needs it is used. */
export const entriesWithoutDapr: Check = (project) =>
  Object.entries(KEPT_OUT).flatMap(([entry, kept]): readonly Finding[] =>
    [...reach(project, entry, false)]
      .filter(([to]) => listed(kept, to))
      .map(([to, way]) => ({ path: entry, line: 1, text: `reaches ${to}: ${way.join(" -> ")}` })),
  );

/** No file imports itself through others. Imports of types alone leave nothing at run time and are exempt. */
export const noRings: Check = rings;

function listed(packages: readonly string[], name: string): boolean {
  return packages.some((allowed) => (allowed.endsWith("*") ? name.startsWith(allowed.slice(0, -1)) : name === allowed));
}

function allows(may: readonly string[], path: string): boolean {
  const denied = may.some((entry) => entry.startsWith("!") && path.startsWith(entry.slice(1)));
  return !denied && may.some((entry) => path.startsWith(entry));
}
