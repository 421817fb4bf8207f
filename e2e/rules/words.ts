import { basename } from 'node:path/posix';
import { eachFile, isCode, isTest, lineAt } from './source.ts';
import type { Finding, Rule, SourceFile } from './source.ts';
import { keyName, parse, walk } from './syntax.ts';
import type { Node } from './syntax.ts';

const vagueName = /(?:^|[-.])(?:utils?|helpers?|common|managers?|misc)(?=[-.]|$)/;
const kebabCase = /^\.?[a-z0-9]+(?:-[a-z0-9]+)*(?:\.[a-z0-9]+(?:-[a-z0-9]+)*)*$/;
const shoutedPage = /^[A-Z_]+\.md$/;

/** A file's name says what it holds, in kebab-case. */
export const fileNames: Rule = eachFile(
  (path) => isCode(path) || /\.(?:md|sh|proto)$/.test(path),
  ({ path }) => {
    const name = basename(path);
    const findings: Finding[] = [];
    if (!kebabCase.test(name) && !shoutedPage.test(name))
      findings.push({ path, line: 1, message: 'file names are kebab-case' });
    if (isCode(path) && vagueName.test(name)) {
      findings.push({ path, line: 1, message: 'the name says nothing: name the file after what it holds' });
    }
    return findings;
  },
);

/** One name for one thing, wherever it is imported. Programs whose configuration must be a default export keep it in *.config.ts. */
export const noDefaultExports: Rule = eachFile(
  (path) => isCode(path) && !/\.config\.[a-z]+$/.test(path),
  (file) => {
    const findings: Finding[] = [];
    walk(parse(file).program, (node) => {
      const isDefault =
        node.type === 'ExportDefaultDeclaration' ||
        (node.type === 'ExportSpecifier' && keyName(node.exported) === 'default') ||
        (node.type === 'ExportAllDeclaration' && node.exported !== null && keyName(node.exported) === 'default');
      if (isDefault)
        findings.push({ path: file.path, line: lineAt(file.text, node.start), message: 'export it by its name' });
    });
    return findings;
  },
);

/** Work that is left is an issue, a skipped test carries its reason, and a check is switched off with one. */
export const noLooseEnds: Rule = eachFile(isCode, (file) => [...looseComments(file), ...looseTests(file)]);

function looseComments(file: SourceFile): Finding[] {
  return parse(file).comments.flatMap(({ value, start }): Finding[] => {
    const found = (message: string): Finding[] => [{ path: file.path, line: lineAt(file.text, start), message }];
    const mark = /\b(?:TODO|FIXME|XXX|HACK)\b/.exec(value);
    if (mark !== null) return found(`${mark[0]}: do it, or open an issue`);
    if (/^\s*@ts-(?:ignore|nocheck)\b/.test(value))
      return found('use @ts-expect-error with a reason: it goes when its cause goes');
    if (/^\s*(?:oxlint|eslint)-disable/.test(value) && !/ -- \S/.test(value)) {
      return found('say why the rule does not hold here: `-- reason`');
    }
    return [];
  });
}

const testFunctions: ReadonlySet<string> = new Set(['test', 'it', 'describe', 'suite', 't', 'context']);

function looseTests(file: SourceFile): Finding[] {
  const findings: Finding[] = [];
  walk(parse(file).program, (node) => {
    const message = looseTest(node, isTest(file.path));
    if (message !== undefined) findings.push({ path: file.path, line: lineAt(file.text, node.start), message });
  });
  return findings;
}

function looseTest(node: Node, inTest: boolean): string | undefined {
  if (node.type === 'CallExpression' && node.callee.type === 'MemberExpression') {
    const { object, property } = node.callee;
    if (object.type !== 'Identifier' || !testFunctions.has(object.name) || property.type !== 'Identifier')
      return undefined;
    if (property.name === 'only') return 'the other tests would not run';
    if (property.name === 'todo') return 'write the test, or open an issue';
    const isContext = object.name === 't' || object.name === 'context';
    if (property.name === 'skip' && !(isContext && node.arguments.length > 0)) return "say why: { skip: 'reason' }";
  }
  if (inTest && node.type === 'Property' && node.value.type === 'Literal' && node.value.value === true) {
    const key = keyName(node.key);
    if (key === 'only') return 'the other tests would not run';
    if (key === 'skip' || key === 'todo') return "say why: { skip: 'reason' }";
  }
  return undefined;
}

const machinePath = /(?<![\w.~}-])\/(?:work|root)\/[\w.-]/;
const temporaryPath = /(?<![\w.~}-])\/tmp\/[\w.-]/;
const packageRegistry =
  /registry\.(?:npmjs|yarnpkg|npmmirror)\.|\bpypi\.org\b|\bproxy\.golang\.org\b|\bartifactory\b|\bjfrog\.io\b/i;

/** Nothing in the tree knows the machine it was written on, nor where its packages came from. */
export const noMachine: Rule = (files) =>
  files.flatMap(({ path, text }) =>
    text.split('\n').flatMap((lineText, index): Finding[] => {
      const found = (message: string): Finding[] => [{ path, line: index + 1, message }];
      if (machinePath.test(lineText)) return found('a path of one machine');
      if (isCode(path) && !isTest(path) && temporaryPath.test(lineText))
        return found('ask for a temporary folder: os.tmpdir()');
      if (packageRegistry.test(lineText)) return found('a package registry by name: who installs chooses it');
      return [];
    }),
  );
