import ts from 'typescript';

/** One small change of the source, and where. */
export type Mutant = {
  readonly id: number;
  readonly file: string;
  readonly line: number;
  readonly before: string;
  readonly after: string;
};

/** A change of a piece of source: what stands there instead. */
type Change = { readonly before: string; readonly after: string };

const COMPARISONS: Readonly<Record<string, readonly string[]>> = {
  '<': ['<=', '>='],
  '<=': ['<', '>'],
  '>': ['>=', '<='],
  '>=': ['>', '<'],
  '===': ['!=='],
  '!==': ['==='],
  '*': ['/'],
  '/': ['*'],
  '%': ['*'],
  '-': ['+'],
};
const METHODS: ReadonlyMap<string, string> = new Map(
  Object.entries({
    some: 'every',
    every: 'some',
    startsWith: 'endsWith',
    endsWith: 'startsWith',
    min: 'max',
    max: 'min',
  }),
);
const WITHOUT_CALL = ['filter', 'trim', 'slice', 'toSorted', 'sort', 'toReversed', 'toLowerCase', 'replace'];
const MAX_ELEMENTS = 80;

/**
 * The source with all its mutants in it, each asleep until `__mutant(id)` says that it is its turn. Types stay as
 * they are: only Node reads the result.
 */
export function instrument(
  file: string,
  source: string,
  firstId: number,
): { readonly source: string; readonly mutants: readonly Mutant[] } {
  const tree = ts.createSourceFile(file, source, ts.ScriptTarget.Latest, true, ts.ScriptKind.TS);
  const mutants: Mutant[] = [];
  const add = (node: ts.Node, before: string, after: string): number => {
    const line = tree.getLineAndCharacterOfPosition(node.getStart(tree)).line + 1;
    const id = firstId + mutants.length;
    mutants.push({ id, file, line, before: short(before), after: short(after) });
    return id;
  };

  /** The text of a node, its children's mutants included. */
  const inner = (node: ts.Node): string => {
    let text = '';
    let at = node.getStart(tree);
    node.forEachChild((child) => {
      const start = child.getStart(tree);
      text += source.slice(at, start) + (isLeftAlone(child) ? child.getText(tree) : render(child));
      at = child.end;
    });
    return text + source.slice(at, node.end);
  };

  const render = (node: ts.Node): string => {
    if (isFunctionBody(node)) {
      const body = inner(node).slice(1);
      const id = add(node, node.getText(tree), '{}');
      return `{ if (__mutant(${id})) return; ${body}`;
    }
    const text = inner(node);
    if (ts.isExpressionStatement(node) && !ts.isStringLiteral(node.expression))
      // In braces, or an `else` that follows would be taken for its own.
      return `{ if (!__mutant(${add(node, node.getText(tree), ';')})) { ${text} } }`;
    const changes = ts.isExpression(node) && mayWrap(node) ? changesOf(node) : [];
    return changes.reduceRight(
      (rest, { before, after }) => `(__mutant(${add(node, before, after)}) ? (${after}) : ${rest})`,
      changes.length === 0 ? text : `(${text})`,
    );
  };

  const changesOf = (node: ts.Expression): readonly Change[] => {
    const own = node.getText(tree);
    const to = (...afters: readonly string[]): Change[] => afters.map((after) => ({ before: own, after }));
    const made: Change[] = [];
    if (isCondition(node)) made.push(...to('true', 'false'));
    if (ts.isBinaryExpression(node)) made.push(...to(...operators(node)));
    else if (ts.isPrefixUnaryExpression(node) && ['!', '-'].includes(own[0] ?? ''))
      made.push(...to(node.operand.getText(tree)));
    else if (own === 'true' || own === 'false') made.push(...to(own === 'true' ? 'false' : 'true'));
    // Words for people have spaces in them, and are judged by people.
    else if (ts.isStringLiteral(node) && node.text !== '' && !node.text.includes(' ')) made.push(...to("''"));
    else if (ts.isArrayLiteralExpression(node)) made.push(...to(...withoutEach(node)));
    else if (ts.isRegularExpressionLiteral(node)) made.push(...to(...withoutAnchors(own)));
    else if (ts.isCallExpression(node)) made.push(...to(...otherCalls(node)));
    return made;
  };

  const operators = (node: ts.BinaryExpression): readonly string[] => {
    const [left, right] = [node.left.getText(tree), node.right.getText(tree)];
    const operator = node.operatorToken.getText(tree);
    if (operator === '&&') return [`${left} || ${right}`, left, right];
    if (operator === '||') return [`${left} && ${right}`, left, right];
    if (operator === '??') return [left];
    if (operator === '+') return /['"`]/.test(left + right) ? [] : [`${left} - ${right}`];
    return (COMPARISONS[operator] ?? []).map((other) => `${left} ${other} ${right}`);
  };

  const withoutEach = (node: ts.ArrayLiteralExpression): readonly string[] => {
    const elements = node.elements.map((element) => element.getText(tree));
    if (elements.length > MAX_ELEMENTS) return ['[]'];
    return elements.map((_, left) => `[${elements.filter((_each, index) => index !== left).join(', ')}]`);
  };

  const otherCalls = (node: ts.CallExpression): readonly string[] => {
    if (!ts.isPropertyAccessExpression(node.expression)) return [];
    const { expression, name } = node.expression;
    const [object, method] = [expression.getText(tree), name.text];
    const other = METHODS.get(method);
    const args = node.arguments.map((argument) => argument.getText(tree)).join(', ');
    if (other !== undefined) return [`${object}.${other}(${args})`];
    return WITHOUT_CALL.includes(method) ? [object] : [];
  };

  return { source: `${render(tree)}\n`, mutants };
}

function withoutAnchors(regex: string): readonly string[] {
  const [, body = '', flags = ''] = /^\/(.*)\/([a-z]*)$/s.exec(regex) ?? [];
  const made: string[] = [];
  if (body.startsWith('^') && body.length > 1) made.push(`/${body.slice(1)}/${flags}`);
  if (body.endsWith('$') && !body.endsWith('\\$')) made.push(`/${body.slice(0, -1)}/${flags}`);
  if (flags.includes('i')) made.push(`/${body}/${flags.replace('i', '')}`);
  return made.filter((each) => !each.startsWith('//'));
}

function isFunctionBody(node: ts.Node): boolean {
  return (
    ts.isBlock(node) &&
    node.statements.length > 0 &&
    ts.isFunctionLike(node.parent) &&
    !ts.isConstructorDeclaration(node.parent)
  );
}

function isCondition(node: ts.Expression): boolean {
  const { parent } = node;
  if (ts.isIfStatement(parent)) return parent.expression === node;
  return ts.isConditionalExpression(parent) && parent.condition === node;
}

/** Types, names and what is assigned to are not expressions that could have another value. */
function isLeftAlone(node: ts.Node): boolean {
  const { parent } = node;
  if (ts.isTypeNode(node) || ts.isTypeParameterDeclaration(node) || ts.isInterfaceDeclaration(node))
    return true;
  if (ts.isTypeAliasDeclaration(node) || ts.isImportDeclaration(node)) return true;
  if (ts.isExportDeclaration(node)) return true;
  if (ts.isBinaryExpression(parent) && parent.left === node)
    return /^(?:[-+*/%&|^?]|\*\*|&&|\|\||\?\?|<<|>>|>>>)?=$/.test(parent.operatorToken.getText());
  if ('name' in parent && parent.name === node && !ts.isComputedPropertyName(node)) return true;
  if (ts.isPostfixUnaryExpression(parent) || ts.isDeleteExpression(parent)) return true;
  return ts.isPrefixUnaryExpression(parent) && /^(?:\+\+|--)/.test(parent.getText());
}

function mayWrap(node: ts.Expression): boolean {
  if ((node.flags & ts.NodeFlags.OptionalChain) !== 0) return false;
  return !(ts.isCallExpression(node.parent) && node.parent.expression === node);
}

function short(text: string): string {
  const line = text.replace(/\s+/g, ' ');
  return line.length <= 160 ? line : `${line.slice(0, 157)}…`;
}
