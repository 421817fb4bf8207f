import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

/** What a rule reads: a path from the repository's root, with forward slashes, and the text behind it. */
export interface SourceFile {
  readonly path: string;
  readonly text: string;
}

/** What a rule found, in words that say what to do. */
export interface Finding {
  readonly path: string;
  readonly line: number;
  readonly message: string;
}

/** A rule about one file is a rule about all of them, so that every rule has this one shape. */
export type Rule = (files: readonly SourceFile[]) => Finding[];

const skippedFolders: ReadonlySet<string> = new Set(['.git', 'node_modules', 'dist', 'coverage']);
const textFile =
  /(?:\.(?:ts|mts|js|mjs|json|jsonc|md|yaml|yml|toml|sh|proto|tpl|html|css|txt|go|mod)|(?:^|\/)(?:Dockerfile|LICENSE|run|\.[a-z]+(?:rc|ignore|config)))$/;

/** Every text file of the working tree at `root`, what git ignores left out. */
export function readTree(root: string): SourceFile[] {
  const files: SourceFile[] = [];
  const visit = (folder: string): void => {
    for (const entry of readdirSync(join(root, folder), { withFileTypes: true })) {
      const path = folder === '' ? entry.name : `${folder}/${entry.name}`;
      if (entry.isDirectory()) {
        if (!skippedFolders.has(entry.name)) visit(path);
      } else if (entry.isFile() && textFile.test(path)) {
        files.push({ path, text: readFileSync(join(root, path), 'utf8') });
      }
    }
  };
  visit('');
  return files.sort((a, b) => (a.path < b.path ? -1 : 1));
}

export function isCode(path: string): boolean {
  return /\.(?:ts|mts|js|mjs)$/.test(path);
}

/** Tests, and what exists for tests alone (a `testing/` folder). */
export function isTest(path: string): boolean {
  return path.endsWith('.test.ts') || /(?:^|\/)testing\//.test(path);
}

export function topFolder(path: string): string {
  const end = path.indexOf('/');
  return end < 0 ? '' : path.slice(0, end);
}

/** The line, counted from 1, of an offset. */
export function lineAt(text: string, offset: number): number {
  let line = 1;
  for (let at = text.indexOf('\n'); at >= 0 && at < offset; at = text.indexOf('\n', at + 1)) line += 1;
  return line;
}

export function formatFindings(findings: readonly Finding[]): string {
  return findings.map(({ path, line, message }) => `${path}:${line}: ${message}`).join('\n');
}

/** A rule over all files from a rule over one. */
export function eachFile(accepts: (path: string) => boolean, find: (file: SourceFile) => Finding[]): Rule {
  return (files) => files.filter(({ path }) => accepts(path)).flatMap(find);
}
