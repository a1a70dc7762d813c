/** @module Files, functions and lines have a maximum size. */
import ts from "typescript";
import { at, type Check, nodes } from "./project.ts";

const FILE_LINES_MAX = 350;
const FUNCTION_LINES_MAX = 75;
const LINE_CHARS_MAX = 140;
/** Calls that group tests; their callbacks are lists, not functions. */
const GROUPS = /^(describe|suite)\b/;

/** No file is too long. */
export const fileSizes: Check = (project) =>
  [...project.sources.keys()].flatMap((path) => {
    const count = (project.texts.get(path) ?? "").trimEnd().split("\n").length;
    return count > FILE_LINES_MAX ? [{ path, line: count, text: `${count} lines, at most ${FILE_LINES_MAX}: split it by topic` }] : [];
  });

/** No function is too long. */
export const functionSizes: Check = (project) =>
  [...project.sources.values()].flatMap((source) =>
    [...nodes(source)].flatMap((node) => {
      if (!ts.isFunctionLike(node) || !("body" in node) || node.body === undefined || groupsTests(node)) return [];
      const count = lineOf(source, node.getEnd()) - lineOf(source, node.getStart(source)) + 1;
      return count > FUNCTION_LINES_MAX ? [at(node, `function of ${count} lines, at most ${FUNCTION_LINES_MAX}`)] : [];
    }),
  );

/** No line is too long. */
export const lineSizes: Check = (project) =>
  [...project.sources.keys()].flatMap((path) =>
    (project.texts.get(path) ?? "")
      .split("\n")
      .flatMap((text, index) =>
        text.length > LINE_CHARS_MAX
          ? [{ path, line: index + 1, text: `line of ${text.length} characters, at most ${LINE_CHARS_MAX}` }]
          : [],
      ),
  );

function groupsTests(node: ts.Node): boolean {
  const { parent } = node;
  return ts.isCallExpression(parent) && GROUPS.test(parent.expression.getText());
}

function lineOf(source: ts.SourceFile, position: number): number {
  return source.getLineAndCharacterOfPosition(position).line;
}
