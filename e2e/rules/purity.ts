import { eachFile, isCode, isTest, lineAt, topFolder } from './source.ts';
import type { Finding, Rule, SourceFile } from './source.ts';
import { isFreeze, parse, walk } from './syntax.ts';
import type { Node } from './syntax.ts';

/** Folders that run unchanged under simulated time: the same seed has to mean the same run. */
const pureFolders: ReadonlySet<string> = new Set(['core', 'sim']);

/** Files of pure folders that stand between them and the outside, each with what it is there for. */
const ports: ReadonlyMap<string, string> = new Map([
  ['sim/kernel/drain.ts', 'gives promises their turn between two events'],
  ['sim/kernel/poison-guard.ts', 'stands before the rest of this list while a simulation runs'],
  ['sim/mutations/worker.ts', 'a thread that tells what its runs cost, and what would have ended its process'],
]);

const waiting: readonly string[] = ['Date', 'setTimeout', 'setInterval', 'Math.random'];
const rest: readonly string[] = [
  'performance',
  'process',
  'setImmediate',
  'queueMicrotask',
  'nextTick',
  'crypto',
  'AbortSignal.timeout',
  'AbortSignal.any',
  'fetch',
  'WeakRef',
  'FinalizationRegistry',
  'Intl',
  'Buffer',
  'console',
  'globalThis',
  'global',
  'navigator',
  'localStorage',
];

/** Tests of pure code may look at the outside and measure cost, but neither wait for a real clock nor leave anything to chance. */
const bannedInTests: ReadonlySet<string> = new Set(waiting);
const banned: ReadonlySet<string> = new Set([...waiting, ...rest]);

/** Methods whose answer depends on the machine's locale. */
const localeMethods: ReadonlySet<string> = new Set([
  'localeCompare',
  'toLocaleString',
  'toLocaleDateString',
  'toLocaleTimeString',
  'toLocaleLowerCase',
  'toLocaleUpperCase',
]);

/** Time, chance and I/O reach pure code through ports alone. */
export const noAmbientWorld: Rule = eachFile(isPure, (file) => {
  const names = isTest(file.path) ? bannedInTests : banned;
  const declared = declaredNames(file);
  const findings: Finding[] = [];
  walk(parse(file).program, (node, parents) => {
    const name = ambientName(node, parents, declared);
    if (name === undefined || !(names.has(name) || localeMethods.has(name))) return;
    const message = `${name} is outside of ${topFolder(file.path)}/: take it through a port (Clock, Random, Digester, ...)`;
    findings.push({ path: file.path, line: lineAt(file.text, node.start), message });
  });
  return findings;
});

/** Two nodes in one process share no state: modules hold constants. */
export const noModuleState: Rule = eachFile(
  (path) => isPure(path) && !isTest(path),
  (file) => {
    const findings: Finding[] = [];
    for (const { node, what } of moduleState(parse(file).program.body)) {
      const message = `${what} at module level is state that every node of a process shares: move it into what owns it, or make it read-only`;
      findings.push({ path: file.path, line: lineAt(file.text, node.start), message });
    }
    return findings;
  },
);

function isPure(path: string): boolean {
  return isCode(path) && pureFolders.has(topFolder(path)) && !ports.has(path);
}

/** Names that the file gives a meaning of its own: a parameter called `fetch` is not the global. */
function declaredNames(file: SourceFile): ReadonlySet<string> {
  const names = new Set<string>();
  const bind = (pattern: Node | null | undefined): void => {
    if (pattern === null || pattern === undefined) return;
    walk(pattern, (node, parents) => {
      const [parent] = parents;
      const isKey = parent?.type === 'Property' && parent.key === node && !parent.shorthand;
      const inType = parents.some(({ type }) => type.startsWith('TS'));
      if (node.type === 'Identifier' && !isKey && !inType) names.add(node.name);
    });
  };
  walk(parse(file).program, (node) => {
    switch (node.type) {
      case 'VariableDeclarator':
        return bind(node.id);
      case 'FunctionDeclaration':
      case 'FunctionExpression':
      case 'ArrowFunctionExpression':
        bind(node.id);
        return node.params.forEach((parameter) => bind(parameterName(parameter)));
      case 'ImportSpecifier':
      case 'ImportNamespaceSpecifier':
      case 'ImportDefaultSpecifier':
        return bind(node.local);
      case 'ClassDeclaration':
      case 'TSInterfaceDeclaration':
      case 'TSTypeAliasDeclaration':
        return bind(node.id);
      default:
        return undefined;
    }
  });
  return names;
}

/** A parameter without its default value, which refers to names and declares none. */
function parameterName(parameter: Node): Node {
  return parameter.type === 'AssignmentPattern' ? parameter.left : parameter;
}

function ambientName(node: Node, [parent]: readonly Node[], declared: ReadonlySet<string>): string | undefined {
  if (node.type === 'MemberExpression' && node.property.type === 'Identifier' && !node.computed) {
    if (localeMethods.has(node.property.name) || node.property.name === 'nextTick') return node.property.name;
    return node.object.type === 'Identifier' ? `${node.object.name}.${node.property.name}` : undefined;
  }
  if (node.type !== 'Identifier' || declared.has(node.name)) return undefined;
  if (parent === undefined || namesAMember(node, parent)) return undefined;
  return node.name;
}

/** `x.Date`, `{ Date: 1 }`, `interface { fetch(): void }`: a name inside something else, not the global. */
function namesAMember(node: Node, parent: Node): boolean {
  switch (parent.type) {
    case 'MemberExpression':
      return parent.property === node && !parent.computed;
    case 'Property':
      return parent.key === node && !parent.computed && !parent.shorthand;
    case 'MethodDefinition':
    case 'PropertyDefinition':
    case 'AccessorProperty':
    case 'TSPropertySignature':
    case 'TSMethodSignature':
    case 'TSAbstractMethodDefinition':
    case 'TSAbstractPropertyDefinition':
      return parent.key === node && !parent.computed;
    case 'TSQualifiedName':
      return parent.right === node;
    // A parameter's name in a type (`(process: X) => void`) declares nothing that could run.
    case 'TSFunctionType':
    case 'ImportSpecifier':
    case 'ExportSpecifier':
      return true;
    default:
      return false;
  }
}

interface State {
  readonly node: Node;
  readonly what: string;
}

function moduleState(body: readonly Node[]): State[] {
  return body.flatMap((statement): State[] => {
    const declaration = statement.type === 'ExportNamedDeclaration' ? statement.declaration : statement;
    if (declaration?.type === 'ClassDeclaration') return staticState(declaration.body.body);
    if (declaration?.type !== 'VariableDeclaration') return [];
    if (declaration.kind === 'let' || declaration.kind === 'var')
      return [{ node: declaration, what: `\`${declaration.kind}\`` }];
    return declaration.declarations.flatMap(({ id, init }): State[] => {
      const annotation = 'typeAnnotation' in id ? id.typeAnnotation?.typeAnnotation : undefined;
      const what = mutable(init);
      return what === undefined || (annotation != null && isReadOnly(annotation)) ? [] : [{ node: id, what }];
    });
  });
}

function staticState(members: readonly Node[]): State[] {
  return members.flatMap((member): State[] =>
    member.type === 'PropertyDefinition' && member.static && !member.readonly
      ? [{ node: member, what: 'a static field' }]
      : [],
  );
}

/** A collection that its module could change later, by the name of what makes it. */
function mutable(init: Node | null | undefined): string | undefined {
  if (init === null || init === undefined) return undefined;
  switch (init.type) {
    case 'ArrayExpression':
      return 'an array';
    case 'NewExpression': {
      const name = init.callee.type === 'Identifier' ? init.callee.name : '';
      return /^(?:Map|Set|WeakMap|WeakSet|Array)$/.test(name) ? `new ${name}()` : undefined;
    }
    case 'TSAsExpression':
      return isReadOnly(init.typeAnnotation) ? undefined : mutable(init.expression);
    case 'TSSatisfiesExpression':
      return mutable(init.expression);
    case 'CallExpression':
      return isFreeze(init.callee) && init.arguments[0]?.type === 'NewExpression'
        ? mutable(init.arguments[0])
        : undefined;
    default:
      return undefined;
  }
}

/** `as const`, `readonly X[]`, `ReadonlyMap<...>` and their like. */
function isReadOnly(type: Node): boolean {
  if (type.type === 'TSTypeOperator') return type.operator === 'readonly';
  if (type.type !== 'TSTypeReference' || type.typeName.type !== 'Identifier') return false;
  return /^(?:const$|Readonly)/.test(type.typeName.name);
}
