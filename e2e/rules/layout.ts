import { lineAt } from './source.ts';
import type { Finding, Rule } from './source.ts';

/** The file by which each folder of code is entered; folders that nobody imports have none. */
const entries: Readonly<Record<string, string | undefined>> = {
  core: 'index.ts',
  transports: 'index.ts',
  sim: 'index.ts',
  testbed: 'index.ts',
  cli: 'main.ts',
  bench: 'main.ts',
  e2e: undefined,
  tools: undefined,
};

const readmeLinesMax = 40;

/** Every folder of code has one door and a README of one screen that says what lives there and what does not. */
export const folders: Rule = (files) => {
  const byPath = new Map(files.map((file) => [file.path, file]));
  return Object.entries(entries).flatMap(([folder, entry]): Finding[] => {
    if (!files.some(({ path }) => path.startsWith(`${folder}/`))) return [];
    const findings: Finding[] = [];
    if (entry !== undefined && !byPath.has(`${folder}/${entry}`)) {
      findings.push({ path: folder, line: 1, message: `${folder}/ has no ${entry}` });
    }
    const readme = byPath.get(`${folder}/README.md`);
    if (readme === undefined) {
      findings.push({ path: folder, line: 1, message: `${folder}/ has no README.md` });
    } else if (lineAt(readme.text, readme.text.length - 1) > readmeLinesMax) {
      findings.push({
        path: readme.path,
        line: readmeLinesMax + 1,
        message: 'more than one screen: move the rest to docs/',
      });
    }
    return findings;
  });
};
