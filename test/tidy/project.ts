/**
 * @module The files of the project for the checks: texts, and syntax trees with their scopes. It can also be made from fake files, so
 * that each check can be tested with a bad one.
 */
import { execFileSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import ts from "typescript";

/** A violation of a check. */
export interface Finding {
  readonly path: string;
  readonly line: number;
  readonly text: string;
}

/** One rule over the whole project. */
export type Check = (project: Project) => readonly Finding[];

const ROOT = join(import.meta.dirname, "..", "..");
const LIST_BYTES_MAX = 16_000_000;
const BINARY = /\.(png|jpg|gif|ico|woff2?|gz|tgz|pdf)$/;

/** Files by path, with a parsed program of the TypeScript ones. */
export class Project {
  readonly texts: ReadonlyMap<string, string>;
  readonly sources: ReadonlyMap<string, ts.SourceFile>;
  readonly #checker: ts.TypeChecker;

  constructor(texts: ReadonlyMap<string, string>) {
    this.texts = texts;
    const paths = [...texts.keys()].filter((path) => /\.tsx?$/.test(path));
    const sources = new Map(paths.map((path) => [path, ts.createSourceFile(path, texts.get(path) ?? "", ts.ScriptTarget.ES2024, true)]));
    this.sources = sources;
    const host: ts.CompilerHost = {
      getSourceFile: (name) => sources.get(name),
      getDefaultLibFileName: () => "lib.d.ts",
      writeFile: () => undefined,
      getCurrentDirectory: () => "",
      getCanonicalFileName: (name) => name,
      useCaseSensitiveFileNames: () => true,
      getNewLine: () => "\n",
      fileExists: (name) => sources.has(name),
      readFile: (name) => texts.get(name),
    };
    // Without the library every global is a name without a declaration, which distinguishes it from a local name.
    this.#checker = ts
      .createProgram({ rootNames: paths, options: { noLib: true, noResolve: true, types: [], jsx: ts.JsxEmit.ReactJSX }, host })
      .getTypeChecker();
  }

  /** Creates a project of fake files. */
  static of(files: Readonly<Record<string, string>>): Project {
    return new Project(new Map(Object.entries(files)));
  }

  /** Whether an identifier is a global: nothing in its file declares it. */
  isGlobal(id: ts.Identifier): boolean {
    const { parent } = id;
    if (ts.isPropertyAccessExpression(parent) && parent.name === id) return false;
    if (ts.isShorthandPropertyAssignment(parent)) return this.#checker.getShorthandAssignmentValueSymbol(parent) === undefined;
    if (!ts.isExpression(id) || ts.isPartOfTypeNode(id) || isName(id)) return false;
    return id.text === "globalThis" || this.#checker.getSymbolAtLocation(id) === undefined;
  }
}

/** Reads every tracked file from the working tree. */
export function readProject(): Project {
  const listed = execFileSync("git", ["ls-files", "-z"], { cwd: ROOT, encoding: "utf8", maxBuffer: LIST_BYTES_MAX });
  const paths = listed.split("\0").filter((path) => path !== "" && !BINARY.test(path) && existsSync(join(ROOT, path)));
  return new Project(new Map(paths.map((path) => [path, readFileSync(join(ROOT, path), "utf8")])));
}

/** A finding at the position of a node. */
export function at(node: ts.Node, text: string): Finding {
  const source = node.getSourceFile();
  return { path: source.fileName, line: source.getLineAndCharacterOfPosition(node.getStart(source)).line + 1, text };
}

/** Every node of a tree, parents first. */
export function* nodes(root: ts.Node): Generator<ts.Node> {
  yield root;
  const children: ts.Node[] = [];
  root.forEachChild((child) => void children.push(child));
  for (const child of children) yield* nodes(child);
}

/** The findings of a rule that checks one node at a time. */
export function overNodes(
  project: Project,
  includes: (path: string) => boolean,
  look: (node: ts.Node) => string | undefined,
): readonly Finding[] {
  const found: Finding[] = [];
  for (const [path, source] of project.sources) {
    if (!includes(path)) continue;
    for (const node of nodes(source)) {
      const text = look(node);
      if (text !== undefined) found.push(at(node, text));
    }
  }
  return found;
}

/** One finding as a line of text. */
export function line(finding: Finding): string {
  return `${finding.path}:${finding.line} ${finding.text}`;
}

function isName(id: ts.Identifier): boolean {
  const { parent } = id;
  if (
    ts.isImportSpecifier(parent) ||
    ts.isExportSpecifier(parent) ||
    ts.isLabeledStatement(parent) ||
    ts.isBreakOrContinueStatement(parent) ||
    ts.isMetaProperty(parent)
  )
    return true;
  if (ts.isBindingElement(parent)) return parent.propertyName === id || parent.name === id;
  return "name" in parent && parent.name === id;
}
