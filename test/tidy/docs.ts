/** @module Every file has a module comment, and every exported name of the library a doc comment. */
import ts from "typescript";
import { at, type Check, type Finding, type Project } from "./project.ts";

const LIBRARY = ["runtime/", "agents/", "actors/", "client/", "mcp/", "sources/", "adapters/"];
/** The parts of the table of limits, by file. */
const LIMITS_TABLES: Readonly<Record<string, string>> = {
  "runtime/limits.ts": "LIMITS",
  "runtime/limits/of-journals.ts": "JOURNAL_LIMITS",
  "runtime/limits/of-trust.ts": "TRUST_LIMITS",
  "runtime/limits/of-models.ts": "MODEL_LIMITS",
  "runtime/limits/of-mcp.ts": "MCP_LIMITS",
};
const SHEBANG = /^#!.*\n/;

/** Each file begins with its module comment. */
export const moduleDocs: Check = (project) =>
  [...project.texts]
    .filter(([path]) => /\.(ts|js|mjs)$/.test(path))
    .flatMap(([path, text]) =>
      /^\/\*\*\s*(?:\*\s*)?@module\s+\S/.test(text.replace(SHEBANG, ""))
        ? []
        : [{ path, line: 1, text: "does not begin with /** @module ... */" }],
    );

/** Each exported declaration of the library has a doc comment. A type and a value of one name share one. */
export const exportDocs: Check = (project) =>
  [...project.sources]
    .filter(([path]) => LIBRARY.some((folder) => path.startsWith(folder)))
    .flatMap(([, source]) => {
      const exported = source.statements.filter(
        (node) => ts.canHaveModifiers(node) && ts.getModifiers(node)?.some(({ kind }) => kind === ts.SyntaxKind.ExportKeyword),
      );
      const documented = new Set(exported.filter(hasDoc).flatMap(namesOf));
      return exported.flatMap((node) =>
        namesOf(node)
          .filter((name) => !documented.has(name))
          .map((name) => at(node, `export ${name} has no doc comment`)),
      );
    });

/** Each limit says what it protects and what happens at the limit. */
export const limitDocs: Check = (project) =>
  limits(project)
    .filter((entry) => !hasDoc(entry))
    .map((entry): Finding => at(entry, `limit ${entry.name.getText()} has no doc comment`));

/** The entries of the table of limits. */
export function limits(project: Project): readonly ts.PropertyAssignment[] {
  return Object.entries(LIMITS_TABLES).flatMap(([path, name]) => entriesOf(project.sources.get(path), name));
}

/** The entries of a table: `export const NAME = { ... } as const`. */
export function entriesOf(source: ts.SourceFile | undefined, name: string): readonly ts.PropertyAssignment[] {
  for (const statement of source?.statements ?? []) {
    if (!ts.isVariableStatement(statement)) continue;
    const declaration = statement.declarationList.declarations.find((candidate) => candidate.name.getText() === name);
    let value = declaration?.initializer;
    while (value !== undefined && (ts.isAsExpression(value) || ts.isSatisfiesExpression(value))) value = value.expression;
    if (value !== undefined && ts.isObjectLiteralExpression(value)) return value.properties.filter(ts.isPropertyAssignment);
  }
  return [];
}

function hasDoc(node: ts.Node): boolean {
  return ts.getJSDocCommentsAndTags(node).some((doc) => ts.isJSDoc(doc) && doc.comment !== undefined && doc.comment.length > 0);
}

function namesOf(node: ts.Statement): readonly string[] {
  if (ts.isVariableStatement(node)) return node.declarationList.declarations.map(({ name }) => name.getText());
  return "name" in node && node.name !== undefined ? [(node.name as ts.Node).getText()] : [];
}
