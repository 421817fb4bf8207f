import { parseSync, visitorKeys } from 'oxc-parser';
import type { Comment, Node, Program } from 'oxc-parser';
import type { SourceFile } from './source.ts';

export type { Node } from 'oxc-parser';

export interface Syntax {
  readonly program: Program;
  readonly comments: readonly Comment[];
}

/** Rules share one parse of each file: they are many and the text does not change between them. */
const parsed = new WeakMap<SourceFile, Syntax>();

export function parse(file: SourceFile): Syntax {
  const known = parsed.get(file);
  if (known !== undefined) return known;
  const { program, comments, errors } = parseSync(file.path, file.text, { preserveParens: false });
  const [error] = errors;
  if (error !== undefined) throw new SyntaxError(`${file.path}: ${error.message}`);
  const syntax = { program, comments };
  parsed.set(file, syntax);
  return syntax;
}

/** Visits every node below `node`, parents first, each with its parents from the nearest to the root. */
export function walk(node: Node, visit: (node: Node, parents: readonly Node[]) => void): void {
  const step = (current: Node, parents: readonly Node[]): void => {
    visit(current, parents);
    const below = [current, ...parents];
    for (const child of childrenOf(current)) step(child, below);
  };
  step(node, []);
}

function childrenOf(node: Node): Node[] {
  const fields = node as unknown as Readonly<Record<string, unknown>>;
  return (visitorKeys[node.type] ?? []).flatMap((key) => [fields[key]].flat()).filter(isNode);
}

function isNode(value: unknown): value is Node {
  return typeof value === 'object' && value !== null && 'type' in value;
}

/** The literal text of a string or of a template without holes. */
export function stringOf(node: Node | null | undefined): string | undefined {
  if (node?.type === 'Literal' && typeof node.value === 'string') return node.value;
  if (node?.type === 'TemplateLiteral' && node.expressions.length === 0)
    return node.quasis[0]?.value.cooked ?? undefined;
  return undefined;
}

/** What stands behind `as`, `satisfies` and `Object.freeze(...)`. */
export function unwrap(node: Node | null | undefined): Node | undefined {
  if (node === null || node === undefined) return undefined;
  if (node.type === 'TSAsExpression' || node.type === 'TSSatisfiesExpression') return unwrap(node.expression);
  if (node.type === 'CallExpression' && isFreeze(node.callee)) return unwrap(node.arguments[0]);
  return node;
}

export function isFreeze(callee: Node): boolean {
  return (
    callee.type === 'MemberExpression' &&
    callee.object.type === 'Identifier' &&
    callee.object.name === 'Object' &&
    callee.property.type === 'Identifier' &&
    callee.property.name === 'freeze'
  );
}

/** The name of a plain or quoted property key. */
export function keyName(key: Node): string | undefined {
  return key.type === 'Identifier' ? key.name : stringOf(key);
}

/** The properties of the object that `export const <name> = { ... }` makes, however it is frozen or typed. */
export function exportedTable(file: SourceFile, name: string): { readonly name: string; readonly start: number }[] {
  for (const statement of parse(file).program.body) {
    if (statement.type !== 'ExportNamedDeclaration' || statement.declaration?.type !== 'VariableDeclaration') continue;
    for (const { id, init } of statement.declaration.declarations) {
      if (id.type !== 'Identifier' || id.name !== name) continue;
      const table = unwrap(init);
      if (table?.type !== 'ObjectExpression') return [];
      return table.properties.flatMap((property) => {
        const key = property.type === 'Property' ? keyName(property.key) : undefined;
        return key === undefined ? [] : [{ name: key, start: property.start }];
      });
    }
  }
  return [];
}

/** Every identifier and every string of a file: the coarse answer to "does it speak of this at all?". */
export function wordsOf(file: SourceFile): ReadonlySet<string> {
  const words = new Set<string>();
  walk(parse(file).program, (node) => {
    const word = node.type === 'Identifier' ? node.name : stringOf(node);
    if (word !== undefined) words.add(word);
  });
  return words;
}
