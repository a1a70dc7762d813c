/** @module Records whose names are data are read through `runtime/entries.ts`: `record[name]` also finds what every object inherits. */
import ts from "typescript";
import { type Check, nodes, overNodes, type Project } from "./project.ts";

const ROOMS = ["runtime/", "agents/", "actors/", "testing/", "cli/", "simulation/"];
const FUNCTIONS = "runtime/entries.ts";
/** Node's own record, which is read by constant names. */
const ENVIRONMENT = "process.env";
/** Calls that create the schema of a record. */
const RECORD_SCHEMAS = ["z.record", "recordOf"];

/**
 * No `record[name]` on a value that is known to be a record: by a declaration in the same file, or as a property that
 * is declared a record anywhere. Reads of a record's own keys are accepted: in a loop over `Object.keys(record)`, or
 * after `Object.hasOwn`.
 */
export const ownEntries: Check = (project) => {
  const properties = recordProperties(project);
  const variables = new Map<ts.SourceFile, ReadonlySet<string>>();
  const variablesOf = (source: ts.SourceFile): ReadonlySet<string> => {
    const known = variables.get(source) ?? new Set([...nodes(source)].flatMap((node) => recordName(node, isVariable)));
    variables.set(source, known);
    return known;
  };
  return overNodes(
    project,
    (path) => path !== FUNCTIONS && ROOMS.some((room) => path.startsWith(room)),
    (node) => {
      if (!ts.isElementAccessExpression(node) || isLiteral(node.argumentExpression)) return undefined;
      const { expression } = node;
      if (expression.getText() === ENVIRONMENT) return undefined;
      const isRecord = ts.isPropertyAccessExpression(expression)
        ? properties.has(expression.name.text)
        : ts.isIdentifier(expression) && variablesOf(node.getSourceFile()).has(expression.text);
      return isRecord && !isOwnKey(node)
        ? `${node.getText()} also finds what objects inherit: use entryOf or withEntry of ${FUNCTIONS}`
        : undefined;
    },
  );
};

function recordProperties(project: Project): ReadonlySet<string> {
  const sources = [...project.sources.values()].filter(({ fileName }) => ROOMS.some((room) => fileName.startsWith(room)));
  return new Set(sources.flatMap((source) => [...nodes(source)].flatMap((node) => recordName(node, isProperty))));
}

type Declared = ts.VariableDeclaration | ts.ParameterDeclaration | ts.PropertySignature | ts.PropertyDeclaration | ts.PropertyAssignment;

function recordName(node: ts.Node, isMeant: (node: ts.Node) => node is Declared): readonly string[] {
  if (!isMeant(node)) return [];
  const isRecord = ts.isPropertyAssignment(node) ? isRecordSchema(node.initializer) : node.type !== undefined && isRecordType(node.type);
  return isRecord ? [node.name.getText()] : [];
}

function isVariable(node: ts.Node): node is Declared {
  return ts.isVariableDeclaration(node) || ts.isParameter(node);
}

function isProperty(node: ts.Node): node is Declared {
  return ts.isPropertySignature(node) || ts.isPropertyDeclaration(node) || ts.isPropertyAssignment(node);
}

function isRecordType(type: ts.TypeNode): boolean {
  return /^(Readonly<)?(Partial<)?Record<string,/.test(type.getText()) || /^\{ (readonly )?\[\w+: string\]:/.test(type.getText());
}

function isRecordSchema(node: ts.Expression): boolean {
  if (!ts.isCallExpression(node)) return false;
  const { expression } = node;
  if (RECORD_SCHEMAS.includes(expression.getText())) return true;
  // Such as `z.record(...).optional()`.
  return ts.isPropertyAccessExpression(expression) && isRecordSchema(expression.expression);
}

function isLiteral(node: ts.Expression): boolean {
  return ts.isStringLiteralLike(node) || ts.isNumericLiteral(node);
}

function isOwnKey(node: ts.ElementAccessExpression): boolean {
  const [record, key] = [node.expression.getText(), node.argumentExpression.getText()];
  for (let around: ts.Node = node.parent; !ts.isSourceFile(around); around = around.parent) {
    if (ts.isForOfStatement(around) && loopsOverKeys(around, record, key)) return true;
    if (ts.isFunctionLike(around) && around.getText().includes(`Object.hasOwn(${record}, ${key})`)) return true;
  }
  return false;
}

function loopsOverKeys({ initializer, expression }: ts.ForOfStatement, record: string, key: string): boolean {
  if (!ts.isVariableDeclarationList(initializer) || initializer.declarations[0]?.name.getText() !== key) return false;
  return expression.getText().startsWith(`Object.keys(${record})`);
}
