/** @module No unused files, exports, limits, faults or dependencies. */
import { basename } from "node:path/posix";
import ts from "typescript";
import { edges, ENTRIES } from "./imports.ts";
import { entriesOf, limits } from "./docs.ts";
import { at, type Check, type Finding, nodes, type Project } from "./project.ts";

/** Files that are started, loaded by a tool, or only compiled. */
const STARTED = new RegExp(
  `^(${[
    ...["cli/main", "bench/(main|fuzz)", "simulation/one", "vitest\\.config", "test/all", "test/dashboard/(shots|speed)"],
    ...["test/live/long", "test/types/.*", "test/.*\\.test"],
  ].join("|")})\\.ts$`,
);
const PUBLIC = Object.values(ENTRIES);
/** Packages that are used without being imported. */
const NOT_IMPORTED = [
  ...["prettier", "typescript", "@types/node", "@types/express", "@types/react", "@types/react-dom"],
  // Programs that tests start.
  ...["@modelcontextprotocol/server-everything", "@modelcontextprotocol/server-filesystem"],
];

/** Every file is an entry, imported, or named in another file, as a program that is started by its path. */
export const deadFiles: Check = (project) => {
  const imported = new Set(
    edges(project)
      .filter(({ from, to }) => from !== to)
      .map(({ to }) => to),
  );
  return [...project.sources.keys()]
    .filter((path) => !STARTED.test(path) && !PUBLIC.includes(path) && !imported.has(path) && !isNamed(project, path))
    .map((path) => ({ path, line: 1, text: "not imported, started or named by any file" }));
};

/** Every export is imported by another file; a type may also be part of what its own file exports. */
export const deadExports: Check = (project) => {
  const taken = new Map<string, Set<string>>();
  for (const { to, names } of edges(project)) {
    const known = taken.get(to) ?? new Set();
    for (const name of names) known.add(name);
    taken.set(to, known);
  }
  return [...project.sources]
    .filter(([path]) => !PUBLIC.includes(path) && !STARTED.test(path))
    .flatMap(([path, source]) => {
      const names = taken.get(path) ?? new Set();
      if (names.has("*")) return [];
      const unused = exportsOf(source).filter(({ name, node }) => !names.has(name) && !(isType(node) && timesNamed(source, name) > 1));
      // A default export may be loaded by its file's path.
      return unused
        .filter(({ name }) => name !== "default" || !isNamed(project, path))
        .map(({ name, node }) => at(node, `${name} is not imported`));
    });
};

/** Every limit is read. */
export const deadLimits: Check = (project) => {
  const read = new Set<string>();
  for (const [path, source] of project.sources) {
    if (path.startsWith("test/")) continue;
    for (const node of nodes(source))
      if (ts.isPropertyAccessExpression(node) && node.expression.getText() === "LIMITS" && !isRelation(node)) read.add(node.name.text);
  }
  return limits(project)
    .filter((entry) => !read.has(entry.name.getText()))
    .map((entry) => at(entry, `the limit ${entry.name.getText()} is not read`));
};

/** The parts of the fault table, by file. */
const FAULT_TABLES: Readonly<Record<string, string>> = {
  "runtime/faults/of-requests.ts": "REQUEST_FAULTS",
  "runtime/faults/of-work.ts": "WORK_FAULTS",
  "runtime/faults/of-hosts.ts": "HOST_FAULTS",
  "runtime/faults/of-mcp.ts": "MCP_FAULTS",
  "runtime/faults/of-models.ts": "MODEL_FAULTS",
  "runtime/faults/of-trust.ts": "TRUST_FAULTS",
};

/** Every fault of the table is raised somewhere. */
export const deadFaults: Check = (project) => {
  const raised = new Set<string>();
  for (const [path, source] of project.sources) {
    if (path.startsWith("test/") || path in FAULT_TABLES) continue;
    for (const node of nodes(source)) if (ts.isStringLiteral(node)) raised.add(node.text);
  }
  const entries = Object.entries(FAULT_TABLES).flatMap(([path, name]) => entriesOf(project.sources.get(path), name));
  return entries.flatMap((entry): readonly Finding[] => {
    const code = ts.isStringLiteral(entry.name) ? entry.name.text : entry.name.getText();
    return raised.has(code) ? [] : [at(entry, `the fault ${code} is not raised`)];
  });
};

/** Every dependency is imported, and every imported package is a dependency; shipped code may also use a package of the user's project. */
export const dependencies: Check = (project) => {
  const text = project.texts.get("package.json");
  if (text === undefined) return [];
  const manifest = JSON.parse(text) as {
    readonly dependencies?: object;
    readonly peerDependencies?: object;
    readonly devDependencies?: object;
  };
  const finding = (path: string, what: string): Finding => ({ path, line: 1, text: what });
  const declared = Object.keys({ ...manifest.dependencies, ...manifest.devDependencies });
  const shipped = Object.keys({ ...manifest.dependencies, ...manifest.peerDependencies });
  const packages = edges(project).filter(
    ({ isPackage, to, from }) => isPackage && !to.startsWith("node:") && !from.startsWith("test/tidy/"),
  );
  const unused = declared
    .filter((name) => !NOT_IMPORTED.includes(name) && !packages.some(({ to }) => to === name))
    .map((name) => finding("package.json", `the dependency ${name} is not imported`));
  const unknown = packages
    .filter(({ from, to }) => !(isShipped(from) ? shipped : declared).includes(to))
    .map(({ to, node }) => at(node, `${to} is not among the dependencies`));
  return [...unused, ...unknown];
};

function isShipped(path: string): boolean {
  return /^(runtime|agents|actors|client|testing|mcp|sources|adapters|cli)\//.test(path);
}

function isRelation(node: ts.Node): boolean {
  return node.getSourceFile().fileName === "runtime/limits.ts";
}

function isType(node: ts.Node): boolean {
  return ts.isInterfaceDeclaration(node) || ts.isTypeAliasDeclaration(node);
}

function timesNamed(source: ts.SourceFile, name: string): number {
  return [...nodes(source)].filter((node) => ts.isIdentifier(node) && node.text === name).length;
}

/** Whether another file has the path, or the name in a string or a script. */
function isNamed(project: Project, path: string): boolean {
  const name = basename(path);
  const quoted = new RegExp(`["'\`/ ]${name.replaceAll(".", "\\.")}["'\`\\s]`);
  return [...project.texts].some(
    ([other, text]) =>
      other !== path &&
      !/\.md$|-lock\.json$/.test(other) &&
      (text.includes(path) || (quoted.test(text) && !text.includes(`from "./${name}"`))),
  );
}

interface Exported {
  readonly name: string;
  readonly node: ts.Node;
}

function exportsOf(source: ts.SourceFile): readonly Exported[] {
  return source.statements.flatMap((node): readonly Exported[] => {
    if (ts.isExportAssignment(node)) return [{ name: "default", node }];
    if (ts.isExportDeclaration(node))
      return node.exportClause !== undefined && ts.isNamedExports(node.exportClause)
        ? node.exportClause.elements.map((element) => ({ name: element.name.text, node: element }))
        : [];
    const modifiers = ts.canHaveModifiers(node) ? (ts.getModifiers(node) ?? []) : [];
    if (!modifiers.some(({ kind }) => kind === ts.SyntaxKind.ExportKeyword)) return [];
    if (modifiers.some(({ kind }) => kind === ts.SyntaxKind.DefaultKeyword)) return [{ name: "default", node }];
    if (ts.isVariableStatement(node))
      return node.declarationList.declarations.map((declaration) => ({ name: declaration.name.getText(), node }));
    return "name" in node && node.name !== undefined ? [{ name: (node.name as ts.Node).getText(), node }] : [];
  });
}
