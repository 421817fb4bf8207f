import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('../../', import.meta.url));
const guide = await readFile(join(root, 'docs/guides/simulating.md'), 'utf8');

interface Step {
  readonly command: string;
  readonly expected: readonly string[];
}

/** The commands of the guide's consoles, `$ ...`, and what they print. */
function stepsOf(page: string): readonly Step[] {
  return [...page.matchAll(/^```console\n(.*?)^```$/gms)].flatMap(([, block = '']) =>
    block
      .split(/^\$ /m)
      .filter((part) => part !== '')
      .map((part) => {
        const [command = '', ...expected] = part.trimEnd().split('\n');
        return { command, expected };
      }),
  );
}

/** Figures, and the room that they take, are another version's another time. */
function withoutFigures(text: string): string {
  return text
    .replaceAll(/\(<? ?[\d.]+(?: ?%|-[\d.]+)\)/g, '<band>')
    .replaceAll(/\d[\d.]*/g, '<n>')
    .replaceAll(/ +/g, ' ');
}

test('guide: simulating.md: its commands print what it says', { timeout: 120_000 }, async () => {
  const directory = await mkdtemp(join(tmpdir(), 'peili-simulating-'));
  try {
    const file = /^```yaml\n(.*?)^```$/ms.exec(guide)?.[1];
    assert.ok(file !== undefined, 'the guide has a scenario');
    await writeFile(join(directory, 'cluster.yaml'), file);
    const steps = stepsOf(guide);
    assert.ok(steps.length >= 5);
    for (const { command, expected } of steps) {
      const { code, output } = await run(command, directory);
      assert.ok(
        code === 0 || expected.some((line) => line.startsWith('✘')),
        `${command}: exit code ${code}: ${output}`,
      );
      const wanted = expected.map(withoutFigures);
      const printed = output.trimEnd().split('\n').map(withoutFigures);
      const missing = wanted.filter((line) => line !== '...' && !printed.includes(line));
      assert.deepEqual(missing, [], `${command} printed:\n${output}`);
      if (!wanted.includes('...')) assert.equal(printed.length, wanted.length, `${command} printed:\n${output}`);
    }
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
});

/** As a shell runs it, `peili` being the program of this checkout. */
function run(command: string, directory: string): Promise<{ code: number | null; output: string }> {
  const program = `${JSON.stringify(process.execPath)} ${JSON.stringify(join(root, 'cli/main.ts'))}`;
  const script = command.replace(/^peili /, `${program} `);
  return new Promise((resolve) => {
    const child = spawn('/bin/sh', ['-c', script], { cwd: directory, stdio: ['ignore', 'pipe', 'pipe'] });
    let output = '';
    const keep = (chunk: Buffer): void => {
      output += chunk.toString();
    };
    child.stdout.on('data', keep);
    child.stderr.on('data', keep);
    child.on('close', (code) => {
      resolve({ code, output });
    });
  });
}
