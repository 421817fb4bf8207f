import assert from 'node:assert/strict';
import { appendFile, mkdir, readFile, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import process from 'node:process';
import { text } from 'node:stream/consumers';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import type { NetnsCluster, NetnsNode } from '../../testbed/index.ts';
import { openCluster } from './cluster-fixture.ts';
import { differenceOf, stepsOf } from './guide-console.ts';

const path = (relative: string): string => fileURLToPath(new URL(relative, import.meta.url));

test('guide: a command that prints something else, more, or less is found', () => {
  const [step, other] = stepsOf(
    '# x\n```console\na# one \\\n  two\n3 in 4 ms\n...\nend\nb# three\n```\n```ts\na# no\n```',
  );
  assert.deepEqual(step, { line: 3, node: 'a', command: 'one \\\n  two', expected: ['3 in 4 ms', '...', 'end'] });
  assert.deepEqual([other?.node, other?.command, other?.expected], ['b', 'three', []]);
  const expected = step?.expected ?? [];
  for (const well of ['3 in 12.5 s\nend\n', '3 in 4 ms\nx\ny\nend'])
    assert.equal(differenceOf(expected, well), undefined);
  for (const wrong of [
    '',
    '4 in 4 ms\nend',
    '3 in 4 ms',
    '3 in 4 ms\nend\nmore',
    'x\n3 in 4 ms\nend',
    '3 in 4 mm\nend',
  ])
    assert.notEqual(differenceOf(expected, wrong), undefined, wrong);
  assert.throws(() => stepsOf('```console\nno command\n```'), /line 2/);
});

/** Runs the guide's commands in order, each on the node of its prompt, and compares what they print. */
async function follow(guide: string, nodes: ReadonlyMap<string, NetnsNode>): Promise<void> {
  const steps = stepsOf(await readFile(path(`../../docs/guides/${guide}`), 'utf8'));
  assert.ok(steps.length > 0, `${guide} has commands`);
  for (const { line, node: letter, command, expected } of steps) {
    const node = nodes.get(letter);
    assert.ok(node !== undefined, `${guide}:${line}: there is no node ${letter}`);
    const output = await runOn(node, command);
    const difference = differenceOf(expected, output);
    if (difference === undefined) continue;
    assert.fail(`${guide}:${line}: ${command}\n${difference}\n\nall of it:\n${output}`);
  }
}

/** Its output, errors too. With ` &` at the end it stays until the cluster ends. */
async function runOn(node: NetnsNode, command: string): Promise<string> {
  const stays = command.endsWith(' &');
  const shell = `cd ${node.files.directory} && ${stays ? `exec ${command.slice(0, -2)}` : `{ ${command}\n} 2>&1`}`;
  const child = node.spawn(['bash', '-c', shell], {
    stdio: stays ? 'ignore' : ['ignore', 'pipe', 'inherit'],
    env: {
      PATH: `${await programsOf(node)}:${process.env['PATH'] ?? ''}`,
      HOME: '/root',
      NO_COLOR: '1',
      CRI_CONFIG_FILE: join(node.files.directory, 'bin/crictl.yaml'),
      NODE_COMPILE_CACHE: join(dirname(node.files.directory), 'compile-cache'),
    },
  });
  return child.stdout === null ? '' : text(child.stdout);
}

/** A folder with `peili`, and a `crictl` if the machine has none. */
async function programsOf({ files }: NetnsNode): Promise<string> {
  const folder = join(files.directory, 'bin');
  await mkdir(folder, { recursive: true });
  const write = (name: string, lines: string): Promise<void> =>
    writeFile(join(folder, name), `#!/bin/sh\n${lines}\n`, { mode: 0o755 });
  await write('peili', `exec ${process.execPath} ${path('../../cli/main.ts')} "$@"`);
  const real = `PATH=$(echo "$PATH" | sed 's|${folder}:||')`;
  await write(
    'crictl',
    `${real}; command -v crictl > /dev/null && exec crictl "$@"\nexec ${process.execPath} ${path('crictl.ts')} "$@"`,
  );
  await writeFile(join(folder, 'crictl.yaml'), 'runtime-endpoint: unix:///run/containerd/containerd.sock\n');
  return folder;
}

function lettersOf({ nodes }: NetnsCluster): ReadonlyMap<string, NetnsNode> {
  return new Map(nodes.map((node, at) => [String.fromCodePoint(97 + at), node]));
}

test('guide: verifying.md does what it says, command by command', { timeout: 240_000 }, async (context) => {
  const cluster = await openCluster(context, { nodes: 2 });
  // As containerd 2.x is by default.
  await cluster.addNode({ configPath: '/etc/containerd/certs.d:/etc/docker/certs.d' });
  await cluster.upstream.addImage({ name: 'team/app:1.0', layers: [{ sizeBytes: 30_000_000 }, { sizeBytes: 2000 }] });
  await follow('verifying.md', lettersOf(cluster));
});

test('guide: tags.md does what it says, command by command', { timeout: 240_000 }, async (context) => {
  const cluster = await openCluster(context, { nodes: 2 });
  const { upstream } = cluster;
  const hosts = join(dirname(cluster.node(0).files.directory), 'hosts');
  await appendFile(hosts, `${upstream.address} private.example\n`);
  for (const [seed, name] of ['team/app:1.0', 'team/app:latest', 'team/secret:1.0', 'paid/app:1.0'].entries())
    await upstream.addImage({ name, layers: [{ sizeBytes: 300_000 }], seed });
  await follow('tags.md', lettersOf(cluster));
});
