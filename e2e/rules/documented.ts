import { isCode, isTest, lineAt } from './source.ts';
import type { Finding, Rule, SourceFile } from './source.ts';
import { exportedTable, keyName, parse, stringOf, walk, wordsOf } from './syntax.ts';
import type { Node } from './syntax.ts';

/** One thing that the code declares and the reference describes. */
interface Declared {
  readonly name: string;
  readonly path: string;
  readonly line: number;
}

/** Every option of the program stands in the reference, and something reads it. */
export const flagsDocumented: Rule = (files) => {
  const sources = files.filter(({ path }) => isCode(path) && !isTest(path) && path.startsWith('cli/'));
  const flags = sources.flatMap(flagsOf);
  const read = new Set(sources.flatMap(propertiesRead));
  const unread = flags.filter(({ name }) => !read.has(propertyOf(name)));
  return [
    ...comparePage(files, 'docs/reference/flags.md', flags, /^--[a-z]/),
    ...unread.map(({ name, path, line }) => ({
      path,
      line,
      message: `nothing reads ${name} (as ${propertyOf(name)})`,
    })),
  ];
};

/**
 * The options of a command, `upFlags` in cli/up-flags.ts, stand under its own heading, `## peili up`, and none of another command do.
 * Options outside such tables may stand anywhere.
 */
export const flagsUnderTheirCommand: Rule = (files) => {
  const page = files.find(({ path }) => path === 'docs/reference/flags.md');
  if (page === undefined) return [];
  const tables = files.filter(({ path }) => /^cli\/[\w-]*flags\.ts$/.test(path)).flatMap(flagTablesOf);
  const inTables = new Set(tables.flatMap(({ flags }) => flags.map(({ name }) => name)));
  return tables.flatMap(({ command, flags }) => {
    const section = { path: page.path, text: sectionOf(page.text, `## peili ${command}`) };
    const others = [...rowsOf(section, /^--[a-z]/)].filter(([name]) => !inTables.has(name));
    return comparePage(
      [section],
      page.path,
      [...flags, ...others.map(([name, line]) => ({ name, path: page.path, line }))],
      /^--[a-z]/,
    );
  });
};

/** Every error code stands in the reference and is raised somewhere. */
export const errorsDocumented: Rule = (files) => {
  const codes = declaredIn(files, 'core/errors.ts', 'errorTable');
  return [
    ...comparePage(files, 'docs/reference/errors.md', codes, /^[A-Z][A-Z_]+$/),
    ...unused(files, codes, 'core/errors.ts', (name) => `nothing raises ${name}`),
  ];
};

/** Every limit has its reason, stands in the reference and bounds something. */
export const limitsDocumented: Rule = (files) => {
  const limits = declaredIn(files, 'core/limits.ts', 'defaultLimits');
  const source = files.find(({ path }) => path === 'core/limits.ts');
  const unexplained = source === undefined ? [] : withoutReason(source);
  return [
    ...comparePage(files, 'docs/reference/limits.md', limits, /^[a-z]+[A-Za-z]+$/),
    ...unexplained,
    ...unused(files, limits, 'core/limits.ts', (name) => `nothing is bounded by ${name}`),
  ];
};

/** Every metric that is registered stands in the reference. */
export const metricsDocumented: Rule = (files) => {
  const metrics = files
    .filter(({ path }) => isCode(path) && !isTest(path) && !path.startsWith('e2e/'))
    .flatMap(metricsOf);
  return comparePage(files, 'docs/reference/metrics.md', metrics, /^(?:peili|spegel)_[a-z_0-9]+$/);
};

/** `--blob-verification <mode>` -> blobVerification, `--no-mirror` -> mirror: commander's own way of naming. */
export function propertyOf(flag: string): string {
  return flag.replace(/^--(?:no-)?/, '').replace(/-([a-z0-9])/g, (_dash, letter: string) => letter.toUpperCase());
}

function flagsOf(file: SourceFile): Declared[] {
  const flags = new Map<string, Declared>();
  const add = (text: string | undefined, start: number): void => {
    const name = text === undefined ? undefined : /(?:^|[\s,|])(--[a-z][a-z0-9-]*)/.exec(text)?.[1];
    if (name !== undefined) flags.set(name, { name, path: file.path, line: lineAt(file.text, start) });
  };
  walk(parse(file).program, (node) => {
    const declares =
      (node.type === 'NewExpression' && node.callee.type === 'Identifier' && node.callee.name === 'Option') ||
      (node.type === 'CallExpression' &&
        /^(?:option|requiredOption|createOption)$/.test(calledName(node.callee) ?? ''));
    if (declares) add(stringOf(node.arguments[0]), node.start);
    // A table of options: { flags: '--store <path>', ... }
    if (node.type === 'Property' && /^flags?$/.test(keyName(node.key) ?? '')) add(stringOf(node.value), node.start);
  });
  return [...flags.values()];
}

function flagTablesOf(file: SourceFile): { readonly command: string; readonly flags: readonly Declared[] }[] {
  return [...file.text.matchAll(/^export const (\w+)Flags\b/gm)].map(([, name = '']) => ({
    command: kebab(name),
    flags: exportedTable(file, `${name}Flags`).map((flag) => ({
      name: `--${kebab(flag.name)}`,
      path: file.path,
      line: lineAt(file.text, flag.start),
    })),
  }));
}

function kebab(name: string): string {
  return name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
}

/** The lines under a heading, where they stand in the page; what is before is left empty. */
function sectionOf(page: string, heading: string): string {
  let within = false;
  const lines = page.split('\n').map((line) => {
    if (line.startsWith('## ')) within = line.trim() === heading;
    return within ? line : '';
  });
  return lines.join('\n');
}

/** `options.store`, `const { store } = options`: what takes a value out, not what declares one. */
function propertiesRead(file: SourceFile): string[] {
  const names: string[] = [];
  walk(parse(file).program, (node, [parent]) => {
    if (node.type === 'MemberExpression') names.push(keyName(node.property) ?? '');
    if (node.type === 'Property' && parent?.type === 'ObjectPattern') names.push(keyName(node.key) ?? '');
  });
  return names;
}

function calledName(callee: Node): string | undefined {
  if (callee.type === 'Identifier') return callee.name;
  return callee.type === 'MemberExpression' ? keyName(callee.property) : undefined;
}

function metricsOf(file: SourceFile): Declared[] {
  const metrics: Declared[] = [];
  walk(parse(file).program, (node) => {
    if (node.type !== 'NewExpression' || !/^(?:Counter|Gauge|Histogram|Summary)$/.test(calledName(node.callee) ?? '')) {
      const text = stringOf(node);
      const isName = text !== undefined && /^peili_[a-z_0-9]+$/.test(text);
      if (isName) metrics.push({ name: text, path: file.path, line: lineAt(file.text, node.start) });
      return;
    }
    const [options] = node.arguments;
    if (options?.type !== 'ObjectExpression') return;
    for (const property of options.properties) {
      const name =
        property.type === 'Property' && keyName(property.key) === 'name' ? stringOf(property.value) : undefined;
      if (name !== undefined) metrics.push({ name, path: file.path, line: lineAt(file.text, property.start) });
    }
  });
  return [...new Map(metrics.map((metric) => [metric.name, metric])).values()];
}

function declaredIn(files: readonly SourceFile[], path: string, table: string): Declared[] {
  const file = files.find((candidate) => candidate.path === path);
  if (file === undefined) return [];
  return exportedTable(file, table).map(({ name, start }) => ({ name, path, line: lineAt(file.text, start) }));
}

function withoutReason(file: SourceFile): Finding[] {
  const { comments } = parse(file);
  return exportedTable(file, 'defaultLimits').flatMap(({ name, start }): Finding[] => {
    const explained = comments.some(
      ({ type, value, end }) =>
        type === 'Block' && value.startsWith('*') && end <= start && file.text.slice(end, start).trim() === '',
    );
    return explained
      ? []
      : [{ path: file.path, line: lineAt(file.text, start), message: `${name} has no reason: /** why so much */` }];
  });
}

function unused(
  files: readonly SourceFile[],
  declared: readonly Declared[],
  home: string,
  say: (name: string) => string,
): Finding[] {
  const users = files.filter(
    ({ path }) => isCode(path) && !isTest(path) && path !== home && !path.startsWith('e2e/rules/'),
  );
  const words = users.map(wordsOf);
  return declared
    .filter(({ name }) => !words.some((set) => set.has(name)))
    .map(({ name, path, line }) => ({ path, line, message: say(name) }));
}

/** What the page lacks, and what it describes though it is gone: names stand as `code` in the first cell of a table's row. */
function comparePage(
  files: readonly SourceFile[],
  path: string,
  declared: readonly Declared[],
  shape: RegExp,
): Finding[] {
  if (declared.length === 0) return [];
  const page = files.find((file) => file.path === path);
  if (page === undefined)
    return [{ path, line: 1, message: `the page is missing: it describes ${declared.length} names` }];
  const described = rowsOf(page, shape);
  const names = new Set(declared.map(({ name }) => name));
  const missing = declared.filter(({ name }) => !described.has(name));
  return [
    ...missing.map((item) => ({
      path: item.path,
      line: item.line,
      message: `${item.name} is not described in ${path}`,
    })),
    ...[...described].flatMap(([name, line]) =>
      names.has(name) ? [] : [{ path, line, message: `${name} does not exist` }],
    ),
  ];
}

/** Tables under a heading that names Spegel compare its names with ours and describe nothing of ours. */
function rowsOf(page: SourceFile, shape: RegExp): ReadonlyMap<string, number> {
  const rows = new Map<string, number>();
  let foreign = false;
  page.text.split('\n').forEach((text, index) => {
    if (text.startsWith('#')) foreign = /Spegel/.test(text);
    const cell = /^\|([^|]*)\|/.exec(text)?.[1];
    if (cell === undefined || foreign) return;
    for (const [, code = ''] of cell.matchAll(/`([^`]+)`/g)) {
      const name = /^(?:-\w, )?(\S+)/.exec(code)?.[1] ?? '';
      if (shape.test(name)) rows.set(name, index + 1);
    }
  });
  return rows;
}
