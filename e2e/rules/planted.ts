import type { Rule } from './source.ts';

/** What `rule` says about one planted file, so that each rule is seen to catch what it forbids. */
export function findingsIn(rule: Rule, path: string, text: string): string[] {
  return rule([{ path, text }]).map(({ message }) => message);
}

/** The same over a small repository, as `path:line message`. */
export function findingsOver(rule: Rule, files: Readonly<Record<string, string>>): string[] {
  return rule(Object.entries(files).map(([path, text]) => ({ path, text }))).map(
    ({ path, line, message }) => `${path}:${line} ${message}`,
  );
}
