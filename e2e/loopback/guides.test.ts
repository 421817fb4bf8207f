import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('../../', import.meta.url));
const guides = join(root, 'docs/guides');

/** What the published package resolves, in the sources. */
const sources: Readonly<Record<string, string>> = {
  peili: 'core/index.ts',
  'peili/transports': 'transports/index.ts',
  'peili/testbed': 'testbed/index.ts',
  'peili/conformance': 'core/conformance/index.ts',
  'peili/sim': 'sim/index.ts',
};

/** What a guide asks its reader to install. */
const installed = ['fast-check'];

let directory = '';
before(async () => {
  directory = await mkdtemp(join(tmpdir(), 'peili-guides-'));
});
after(() => rm(directory, { recursive: true, force: true }));

for (const file of (await readdir(guides)).filter((name) => name.endsWith('.md'))) {
  const text = await readFile(join(guides, file), 'utf8');
  for (const [index, block] of [...text.matchAll(/^```ts\n(.*?)^```$/gms)].entries()) {
    test(`guide: ${file}, example ${index + 1} runs as it stands`, async () => {
      const program = join(directory, `${file}-${index + 1}.ts`);
      await writeFile(program, inCheckout(block[1] ?? ''));
      const { code, output } = await run(program);
      assert.equal(code, 0, output);
    });
  }
}

function inCheckout(code: string): string {
  const resolved = installed.reduce(
    (text, name) => text.replaceAll(`from '${name}'`, `from ${JSON.stringify(import.meta.resolve(name))}`),
    code,
  );
  return resolved.replaceAll(/from '(peili[^']*)'/g, (_whole, name: string) => {
    const path = sources[name];
    assert.ok(path !== undefined, `the package has no export ${name}`);
    return `from ${JSON.stringify(join(root, path))}`;
  });
}

function run(program: string): Promise<{ code: number | null; output: string }> {
  return new Promise((resolve) => {
    const child = spawn(process.execPath, [program], {
      stdio: ['ignore', 'pipe', 'pipe'],
      timeout: 30_000,
      env: { PATH: process.env['PATH'] },
    });
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
