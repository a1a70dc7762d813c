/** @module Numbers have a name, and the name contains their unit or what they count. */
import ts from "typescript";
import { at, type Check, type Finding, overNodes } from "./project.ts";
import { limits } from "./docs.ts";

/** Words that say what a number is. Every name contains one of them, or ends in the plural of what is counted. */
const UNITS = new Set(
  [
    ["ms", "s", "seconds", "minutes", "hours", "days", "bytes", "chars", "lines", "mb", "gb", "gib"],
    ["min", "max", "default", "count", "length", "size", "ratio", "factor", "percent", "share", "per", "number", "index", "at", "shown"],
    ["concurrency", "parallelism", "depth", "width", "px"],
    ["port", "mode", "version", "status", "code", "major", "minor", "format", "seed", "exit", "hz"],
  ].flat(),
);

const TIMERS = ["setTimeout", "setInterval", "sleep", "AbortSignal.timeout"];
/** A pause of this length means "as soon as possible". */
const AT_ONCE_MS = 1;

/** The names of numeric constants and of limits contain a unit. */
export const unitsInNames: Check = (project) => {
  const constants = [...project.sources.values()].flatMap((source) =>
    source.statements
      .filter(ts.isVariableStatement)
      .flatMap(({ declarationList }) => (declarationList.flags & ts.NodeFlags.Const ? [...declarationList.declarations] : [])),
  );
  const numbers = constants.filter(({ initializer }) => initializer !== undefined && isNumber(initializer));
  return [...numbers, ...limits(project)].flatMap((node): readonly Finding[] => {
    const name = node.name.getText();
    return saysUnit(words(name)) ? [] : [at(node, `${name} does not say its unit or what it counts`)];
  });
};

/** A pause or timeout is a named constant; tests may use literals. */
export const namedPauses: Check = (project) =>
  overNodes(
    project,
    (path) => !path.startsWith("test/"),
    (node) => {
      if (!ts.isCallExpression(node) || !TIMERS.includes(node.expression.getText())) return undefined;
      const bare = node.arguments.find((argument) => ts.isNumericLiteral(argument) && Number(argument.text) > AT_ONCE_MS);
      return bare === undefined ? undefined : `${bare.getText()} in ${node.expression.getText()}: give it a name with its unit`;
    },
  );

function isNumber(node: ts.Expression): boolean {
  if (ts.isNumericLiteral(node)) return true;
  if (ts.isPrefixUnaryExpression(node)) return isNumber(node.operand);
  if (ts.isParenthesizedExpression(node)) return isNumber(node.expression);
  return (
    ts.isBinaryExpression(node) &&
    [ts.SyntaxKind.AsteriskToken, ts.SyntaxKind.AsteriskAsteriskToken, ts.SyntaxKind.MinusToken, ts.SyntaxKind.SlashToken].includes(
      node.operatorToken.kind,
    ) &&
    (isNumber(node.left) || isNumber(node.right))
  );
}

function saysUnit(parts: readonly string[]): boolean {
  return parts.some((word) => UNITS.has(word)) || /[^s]s$/.test(parts.at(-1) ?? "");
}

function words(name: string): readonly string[] {
  const parts = name.includes("_") || name === name.toUpperCase() ? name.split("_") : name.split(/(?=[A-Z])/);
  return parts.map((part) => part.toLowerCase());
}
