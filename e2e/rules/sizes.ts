import { eachFile, isCode, isTest, lineAt } from './source.ts';
import type { Finding, Rule, SourceFile } from './source.ts';
import { parse, walk } from './syntax.ts';
import type { Node } from './syntax.ts';

/** Lines, blank lines and comments included: what has to be read. */
export interface SizeBounds {
  readonly fileLinesMax: number;
  readonly functionLinesMax: number;
}

/** Beyond these nobody keeps the whole in mind: the check fails. */
export const hardBounds: SizeBounds = { fileLinesMax: 500, functionLinesMax: 100 };
/** Beyond these it is time to look for the seam: the check says so and passes. */
export const softBounds: SizeBounds = { fileLinesMax: 300, functionLinesMax: 70 };

export function sizes(bounds: SizeBounds): Rule {
  return eachFile(isCode, (file) => [
    ...longFile(file, bounds.fileLinesMax),
    ...longFunctions(file, bounds.functionLinesMax),
  ]);
}

function longFile({ path, text }: SourceFile, linesMax: number): Finding[] {
  const lines = lineAt(text, text.length - (text.endsWith('\n') ? 1 : 0));
  return lines > linesMax ? [{ path, line: 1, message: `${lines} lines, more than ${linesMax}: split it` }] : [];
}

function longFunctions(file: SourceFile, linesMax: number): Finding[] {
  const findings: Finding[] = [];
  walk(parse(file).program, (node, parents) => {
    if (!isFunction(node)) return;
    const line = lineAt(file.text, node.start);
    const lines = lineAt(file.text, node.end) - line + 1;
    // A suite is a list of tests, one function each: those are what is read at once, so the list itself is not measured.
    if (lines <= linesMax || (isSuite(file.path) && holdsTests(node))) return;
    findings.push({
      path: file.path,
      line,
      message: `${nameOf(node, parents)} has ${lines} lines, more than ${linesMax}`,
    });
  });
  return findings;
}

function isSuite(path: string): boolean {
  return isTest(path) || path.startsWith('core/conformance/');
}

function holdsTests(node: Node): boolean {
  let found = false;
  walk(node, (inner) => {
    if (inner.type !== 'CallExpression') return;
    const { callee } = inner;
    const name = callee.type === 'MemberExpression' ? callee.property : callee;
    if (name.type === 'Identifier' && ['test', 'it', 'describe', 'suite', 'law'].includes(name.name)) found = true;
  });
  return found;
}

function isFunction(node: Node): boolean {
  return /^(?:FunctionDeclaration|FunctionExpression|ArrowFunctionExpression)$/.test(node.type);
}

function nameOf(node: Node, [parent]: readonly Node[]): string {
  if ('id' in node && node.id?.type === 'Identifier') return `function ${node.id.name}`;
  if (parent?.type === 'VariableDeclarator' && parent.id.type === 'Identifier') return `function ${parent.id.name}`;
  if ((parent?.type === 'MethodDefinition' || parent?.type === 'Property') && parent.key.type === 'Identifier') {
    return `method ${parent.key.name}`;
  }
  return 'a function';
}
