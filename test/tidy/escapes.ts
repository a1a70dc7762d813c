/** @module Ways around the types and the tests, unfinished marks, and code that was commented out. */
import ts from "typescript";
import { type Check, type Finding, overNodes, type Project } from "./project.ts";

const MARK = new RegExp(`\\b(${["TO" + "DO", "FIX" + "ME", "X" + "XX", "HA" + "CK"].join("|")})\\b`);
const TEST_WORDS = ["test", "it", "describe", "suite", "bench"];
const ESCAPES = ["only", "skip", "todo", "fails"];
/** Programs whose output a person reads. */
const PRINTING = ["cli/", "bench/", "examples/"];
/** The only folder whose code must not compile. */
const MUST_NOT_COMPILE = "test/types/";

/** No `any` type. */
export const noAny: Check = (project) =>
  overNodes(
    project,
    () => true,
    (node) => (node.kind === ts.SyntaxKind.AnyKeyword ? "any: name the type, or use unknown" : undefined),
  );

/** No non-null assertion. */
export const noBang: Check = (project) =>
  overNodes(
    project,
    () => true,
    (node) => (ts.isNonNullExpression(node) ? "`!` after an expression: handle the case that it is absent" : undefined),
  );

/** No test is skipped, and none runs exclusively. `skipIf` and `runIf` name their condition. */
export const noLeftOut: Check = (project) =>
  overNodes(
    project,
    (path) => path.startsWith("test/"),
    (node) => {
      if (!ts.isPropertyAccessExpression(node) || !ESCAPES.includes(node.name.text)) return undefined;
      let root: ts.Expression = node.expression;
      while (ts.isPropertyAccessExpression(root)) root = root.expression;
      return ts.isIdentifier(root) && TEST_WORDS.includes(root.text)
        ? `${node.getText()}: a test that does not run proves nothing`
        : undefined;
    },
  );

/** Only programs for persons print. */
export const noConsole: Check = (project) =>
  overNodes(
    project,
    (path) => !PRINTING.some((folder) => path.startsWith(folder)),
    (node) =>
      ts.isIdentifier(node) && node.text === "console" && project.isGlobal(node)
        ? "console: use the logger, or return the text"
        : undefined,
  );

/** No mark of unfinished work and no comment that silences the compiler. */
export const noMarks: Check = (project) =>
  comments(project).flatMap(({ path, line, text }) => {
    const found: Finding[] = [];
    const mark = MARK.exec(text)?.[0];
    if (mark !== undefined) found.push({ path, line, text: `${mark}: finish it` });
    if (/@ts-(ignore|nocheck)/.test(text)) found.push({ path, line, text: "a comment that silences the compiler" });
    if (/^@ts-expect-error/.test(text) && !path.startsWith(MUST_NOT_COMPILE))
      found.push({ path, line, text: `@ts-expect-error outside ${MUST_NOT_COMPILE}` });
    return found;
  });

/** No code in comments: text that ends like a statement and parses as one. Doc comments may show examples. */
export const noDeadCode: Check = (project) =>
  comments(project)
    .filter(({ text, isDoc }) => !isDoc && isCode(text))
    .map(({ path, line }) => ({ path, line, text: "code in a comment: delete it" }));

interface Comment {
  readonly path: string;
  readonly line: number;
  readonly text: string;
  readonly isDoc: boolean;
}

function comments(project: Project): readonly Comment[] {
  return [...project.sources.values()].flatMap((source) => {
    const places = new Map<number, ts.CommentRange>();
    const add = (ranges: readonly ts.CommentRange[] | undefined): void => ranges?.forEach((range) => places.set(range.pos, range));
    // Comments are before or after a token, also before a closing bracket, which is a token but not a node.
    for (const token of tokens(source)) {
      add(ts.getLeadingCommentRanges(source.text, token.getFullStart()));
      add(ts.getTrailingCommentRanges(source.text, token.getEnd()));
    }
    return [...places.values()].map(({ pos, end }) => {
      const raw = source.text.slice(pos, end);
      const text = raw
        .replace(/^\/\*+|^\/\/+|\*+\/$/g, "")
        .replaceAll(/^\s*\* ?/gm, "")
        .trim();
      return { path: source.fileName, line: source.getLineAndCharacterOfPosition(pos).line + 1, text, isDoc: raw.startsWith("/**") };
    });
  });
}

function tokens(node: ts.Node): readonly ts.Node[] {
  const children = node.getChildren();
  return children.length === 0 ? [node] : children.filter((child) => !ts.isJSDoc(child)).flatMap(tokens);
}

function isCode(text: string): boolean {
  if (!/[;{}]$/.test(text)) return false;
  const body = text.endsWith("{") ? `${text}}` : text.replace(/^\}+/, "");
  const source = ts.createSourceFile("comment.ts", body, ts.ScriptTarget.ES2024, true);
  const problems = (source as unknown as { readonly parseDiagnostics: readonly unknown[] }).parseDiagnostics;
  return (
    problems.length === 0 &&
    source.statements.some(
      (statement) => !ts.isEmptyStatement(statement) && !(ts.isExpressionStatement(statement) && ts.isIdentifier(statement.expression)),
    )
  );
}
