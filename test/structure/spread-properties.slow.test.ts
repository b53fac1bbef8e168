import { relative, resolve } from 'node:path';
import ts from 'typescript';
import { expect, test } from 'vitest';

const ROOT = resolve(import.meta.dirname, '../..');

/** The object literals that an expression such as `condition && { … }` may come to. */
function literalsIn(expression: ts.Expression): readonly ts.ObjectLiteralExpression[] {
  if (ts.isObjectLiteralExpression(expression)) return [expression];
  if (ts.isParenthesizedExpression(expression)) return literalsIn(expression.expression);
  if (ts.isBinaryExpression(expression)) return literalsIn(expression.right);
  if (ts.isConditionalExpression(expression))
    return [...literalsIn(expression.whenTrue), ...literalsIn(expression.whenFalse)];
  return [];
}

/** Properties in `...(condition && { property })` that the type of the whole object does not have. */
function unknownProperties(program: ts.Program): readonly string[] {
  const checker = program.getTypeChecker();
  const found: string[] = [];
  const isKnown = (type: ts.Type, name: string): boolean =>
    type.isUnion()
      ? type.types.some((one) => isKnown(one, name))
      : checker.getPropertyOfType(type, name) !== undefined ||
        type.getStringIndexType() !== undefined ||
        (type.flags & (ts.TypeFlags.Any | ts.TypeFlags.Unknown | ts.TypeFlags.TypeParameter)) !== 0 ||
        checker.getPropertiesOfType(type).length === 0;
  const visit = (node: ts.Node): void => {
    ts.forEachChild(node, visit);
    if (!ts.isSpreadAssignment(node)) return;
    const type = checker.getContextualType(node.parent);
    if (type === undefined) return;
    for (const { properties } of literalsIn(node.expression))
      for (const property of properties) {
        const name = property.name?.getText().replaceAll(/['"]/g, '');
        if (name !== undefined && !isKnown(type, name))
          found.push(`${relative(ROOT, node.getSourceFile().fileName)}: ${name}`);
      }
  };
  for (const file of program.getSourceFiles())
    if (file.fileName.startsWith(`${ROOT}/src/`)) ts.forEachChild(file, visit);
  return found;
}

test('a property that is spread in under a condition is one that its receiver knows: the compiler does not check that', () => {
  const { config } = ts.readConfigFile(resolve(ROOT, 'tsconfig.json'), (path) => ts.sys.readFile(path));
  const { fileNames, options } = ts.parseJsonConfigFileContent(config, ts.sys, ROOT);
  expect(unknownProperties(ts.createProgram(fileNames, options))).toEqual([]);
}, 120_000);
