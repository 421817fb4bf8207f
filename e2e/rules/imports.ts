import { posix } from 'node:path';
import { eachFile, isCode, isTest, lineAt, topFolder } from './source.ts';
import type { Finding, Rule, SourceFile } from './source.ts';
import { parse, stringOf, walk } from './syntax.ts';
import type { Node } from './syntax.ts';

interface FolderRule {
  /** Other top-level folders that it may import, through their doors. */
  readonly folders: readonly string[];
  /** Packages it may import; `any` where I/O is its work. */
  readonly packages: readonly RegExp[] | 'any';
}

/** Packages without time, chance or I/O. `multiformats/hashes` is left out: it picks the platform's crypto. */
const purePackages: readonly RegExp[] = [
  /^re2js$/,
  /^range-parser$/,
  /^multiformats(?:\/(?!hashes\/sha)[\w/-]+)?$/,
  /^valibot$/,
  /^pure-rand\/[\w/-]+$/,
  /^tinyqueue$/,
  /^flatqueue$/,
];
/** Tests of core need a real hash; `node:crypto` is there for that. */
const testPackages: readonly RegExp[] = [/^node:test$/, /^node:assert(?:\/strict)?$/, /^node:crypto$/, /^fast-check$/];

const programFolders: readonly string[] = ['core', 'transports', 'sim', 'testbed', 'cli', 'bench'];

const table: Readonly<Record<string, FolderRule>> = {
  core: { folders: [], packages: purePackages },
  transports: { folders: ['core'], packages: 'any' },
  sim: { folders: ['core'], packages: 'any' },
  testbed: { folders: ['core', 'transports'], packages: 'any' },
  cli: { folders: programFolders, packages: 'any' },
  bench: { folders: programFolders, packages: 'any' },
  e2e: { folders: [...programFolders, 'tools'], packages: 'any' },
  tools: { folders: [], packages: 'any' },
};

/** Where a folder is entered. */
const doors: ReadonlySet<string> = new Set([
  ...programFolders.map((folder) => `${folder}/index.ts`),
  'core/ports/index.ts',
  'core/conformance/index.ts',
  // What a chart tells the program is read as the program reads it, and what an image does to it as the image has it.
  'tools/image/image-config.ts',
  'cli/registry-options.ts',
  // Apart from the package's exports: it works on sources, and a build has none.
  'sim/mutations/index.ts',
]);

/** What answers are right, reckoned anew. */
const referenceFolder = 'sim/reference/';

interface Import {
  readonly specifier: string;
  readonly start: number;
}

/** Who may import whom, through which door, and how a relative import is written. */
export const importTable: Rule = eachFile(isCode, (file) =>
  importsOf(file).flatMap(({ specifier, start }): Finding[] => {
    const message = specifier.startsWith('.')
      ? judgeRelative(file.path, specifier)
      : judgePackage(file.path, specifier);
    return message === undefined ? [] : [{ path: file.path, line: lineAt(file.text, start), message }];
  }),
);

function importsOf(file: SourceFile): Import[] {
  const imports: Import[] = [];
  walk(parse(file).program, (node) => {
    const specifier = stringOf(sourceOf(node));
    if (specifier !== undefined) imports.push({ specifier, start: node.start });
  });
  return imports;
}

function sourceOf(node: Node): Node | null | undefined {
  switch (node.type) {
    case 'ImportDeclaration':
    case 'ExportAllDeclaration':
    case 'ExportNamedDeclaration':
    case 'ImportExpression':
    case 'TSImportType':
      return node.source;
    default:
      return undefined;
  }
}

function judgeRelative(path: string, specifier: string): string | undefined {
  if (!/\.(?:ts|json)$/.test(specifier)) return `import '${specifier}' ends in .ts: Node runs the sources as they are`;
  const target = posix.normalize(posix.join(posix.dirname(path), specifier));
  const from = topFolder(path);
  const to = topFolder(target);
  if (path.startsWith(referenceFolder) && !target.startsWith(referenceFolder))
    return `${referenceFolder} knows nothing of the product: what it says must not be what the product says of itself`;
  if (!isTest(path) && isTest(target)) return `${target} exists for tests alone`;
  if (from === to || target === 'package.json') return undefined;
  // The one file that is not entered through a door: it is the program of a checkout, `npx peili`.
  if (path === 'tools/node/peili.js') return undefined;
  const rule = table[from];
  if (rule === undefined) return `folder ${from}/ has no row in the import table of e2e/rules/imports.ts`;
  if (!rule.folders.includes(to)) return `${from}/ may not import ${to === '' ? 'the root' : `${to}/`}`;
  if (!doors.has(target) && !isTest(target)) return `${target} is no door: import ${to}/index.ts`;
  return undefined;
}

function judgePackage(path: string, specifier: string): string | undefined {
  if (/^peili(?:\/|$)/.test(specifier)) return `import the sources, not '${specifier}', which is the last build`;
  const rule = table[topFolder(path)];
  if (rule === undefined || rule.packages === 'any') return undefined;
  const allowed = isTest(path) ? [...rule.packages, ...testPackages] : rule.packages;
  if (allowed.some((pattern) => pattern.test(specifier))) return undefined;
  return `${topFolder(path)}/ imports pure packages only, and '${specifier}' is not on the list`;
}
