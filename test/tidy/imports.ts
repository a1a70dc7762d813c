/** @module The import graph: the edges between files, the imported names, and reachability. */
import { dirname, join } from "node:path/posix";
import ts from "typescript";
import { at, type Finding, nodes, type Project } from "./project.ts";

/** The public entries by the name they are imported under. */
export const ENTRIES: Readonly<Record<string, string>> = {
  troupe: "agents/index.ts",
  "troupe/ai-sdk": "adapters/ai-sdk/index.ts",
  "troupe/client": "client/index.ts",
  "troupe/dapr": "actors/index.ts",
  "troupe/mcp": "mcp/index.ts",
  "troupe/openai-agents": "adapters/openai-agents/index.ts",
  "troupe/sources": "sources/index.ts",
  "troupe/testing": "testing/index.ts",
};

/** One import or re-export. */
export interface Edge {
  readonly from: string;
  /** The file in the project, or the package's name. */
  readonly to: string;
  readonly isPackage: boolean;
  /** Leaves nothing at run time: `import type`. An inline `type` keeps the import. */
  readonly typeOnly: boolean;
  /** Loaded when it is used: `await import(...)`. */
  readonly lazy: boolean;
  /** The imported names; `*` is everything. */
  readonly names: readonly string[];
  /** Exported again by `export ... from`. */
  readonly passedOn: boolean;
  readonly node: ts.Node;
}

const cache = new WeakMap<Project, readonly Edge[]>();

/** Every edge of the project. */
export function edges(project: Project): readonly Edge[] {
  const known = cache.get(project);
  if (known !== undefined) return known;
  const all = [...project.sources.values()].flatMap((source) => [...nodes(source)].flatMap((node) => edgeOf(node) ?? []));
  cache.set(project, all);
  return all;
}

const byFile = new WeakMap<Project, ReadonlyMap<string, readonly Edge[]>>();

/** The edges of a file. */
function edgesOf(project: Project, file: string): readonly Edge[] {
  const known = byFile.get(project) ?? new Map(Object.entries(Object.groupBy(edges(project), ({ from }) => from)) as [string, Edge[]][]);
  byFile.set(project, known);
  return known.get(file) ?? [];
}

/** Files and packages that a file loads, each with the path to it. What is loaded when it is used counts only for `withLazy`. */
export function reach(project: Project, from: string, withLazy: boolean): ReadonlyMap<string, readonly string[]> {
  const ways = new Map<string, readonly string[]>([[from, [from]]]);
  for (const [file, way] of ways) {
    for (const edge of edgesOf(project, file)) {
      const counts = !edge.typeOnly && (withLazy || !edge.lazy);
      if (counts && !ways.has(edge.to)) ways.set(edge.to, [...way, edge.to]);
    }
  }
  return ways;
}

/** The shortest ring of imports through each file that is in one, each ring once. */
export function rings(project: Project): readonly Finding[] {
  const found = new Map<string, Finding>();
  const reached = new Map<string, ReturnType<typeof reach>>();
  for (const first of edges(project)) {
    if (first.typeOnly || first.isPackage) continue;
    const from = reached.get(first.to) ?? reach(project, first.to, true);
    reached.set(first.to, from);
    const way = from.get(first.from);
    if (way === undefined) continue;
    const key = way.toSorted().join("|");
    if (!found.has(key)) found.set(key, at(first.node, `ring of imports: ${[first.from, ...way].join(" -> ")}`));
  }
  return [...found.values()];
}

function edgeOf(node: ts.Node): Edge | undefined {
  const from = node.getSourceFile().fileName;
  const edge = (specifier: ts.Node | undefined, typeOnly: boolean, names: readonly string[], passedOn = false): Edge | undefined => {
    if (specifier === undefined || !ts.isStringLiteral(specifier)) return undefined;
    return { from, ...target(from, specifier.text), typeOnly, lazy: ts.isCallExpression(node), names, passedOn, node };
  };
  if (ts.isImportDeclaration(node))
    return edge(node.moduleSpecifier, node.importClause?.phaseModifier === ts.SyntaxKind.TypeKeyword, taken(node.importClause));
  if (ts.isExportDeclaration(node)) return edge(node.moduleSpecifier, node.isTypeOnly, passed(node), true);
  if (ts.isImportTypeNode(node)) return edge(ts.isLiteralTypeNode(node.argument) ? node.argument.literal : undefined, true, ["*"]);
  if (ts.isCallExpression(node) && node.expression.kind === ts.SyntaxKind.ImportKeyword) return edge(node.arguments[0], false, ["*"]);
  return undefined;
}

function taken(clause: ts.ImportClause | undefined): readonly string[] {
  if (clause === undefined) return [];
  const names = clause.name === undefined ? [] : ["default"];
  if (clause.namedBindings === undefined) return names;
  if (ts.isNamespaceImport(clause.namedBindings)) return [...names, "*"];
  return [...names, ...clause.namedBindings.elements.map((element) => (element.propertyName ?? element.name).text)];
}

function passed(node: ts.ExportDeclaration): readonly string[] {
  if (node.exportClause === undefined || ts.isNamespaceExport(node.exportClause)) return ["*"];
  return node.exportClause.elements.map((element) => (element.propertyName ?? element.name).text);
}

function target(from: string, specifier: string): { readonly to: string; readonly isPackage: boolean } {
  if (specifier.startsWith(".")) return { to: join(dirname(from), specifier), isPackage: false };
  const entry = ENTRIES[specifier];
  if (entry !== undefined) return { to: entry, isPackage: false };
  if (specifier.startsWith("node:")) return { to: specifier, isPackage: true };
  return {
    to: specifier
      .split("/")
      .slice(0, specifier.startsWith("@") ? 2 : 1)
      .join("/"),
    isPackage: true,
  };
}
