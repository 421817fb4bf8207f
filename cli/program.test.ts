import assert from 'node:assert/strict';
import { test } from 'node:test';
import { PeiliError } from '../core/index.ts';
import { runProgram } from './program.ts';
import type { Actions } from './program.ts';

async function run(argv: readonly string[], actions: Partial<Actions> = {}) {
  const seen = { out: '', err: '', calls: [] as unknown[] };
  const record = (name: string) => (options: unknown) =>
    Promise.resolve(seen.calls.push([name, options])).then(() => 0);
  const code = await runProgram(
    argv,
    {
      env: {},
      version: '1.2.3',
      writeOut: (text) => void (seen.out += text),
      writeErr: (text) => void (seen.err += text),
    },
    {
      registry: record('registry'),
      configuration: record('configuration'),
      cleanup: record('cleanup'),
      cleanupWait: record('cleanup-wait'),
      verify: record('verify'),
      up: record('up'),
      demo: record('demo'),
      sim: record('sim'),
      testbed: record('testbed'),
      ...actions,
    },
  );
  return { ...seen, code };
}

test('program: each command gets its options', async () => {
  assert.deepEqual((await run(['up'])).calls, [['up', { nodes: 3, image: undefined }]]);
  assert.deepEqual((await run(['up', '--nodes', '5', '--image', '/srv'])).calls, [['up', { nodes: 5, image: '/srv' }]]);
  assert.deepEqual((await run(['demo'])).calls, [['demo', { json: false }]]);
  assert.deepEqual((await run(['demo', '--json'])).calls, [['demo', { json: true }]]);
  const [call] = (await run(['registry', '--store', 'oci-layout:/srv', '--zone=a'])).calls as [
    string,
    { zone: string },
  ][];
  assert.equal(call?.[1].zone, 'a');
});

test('program: each command of testbeds gets its options', async () => {
  const command = async (...argv: string[]): Promise<unknown> =>
    ((await run(['testbed', ...argv])).calls as [string, unknown][])[0]?.[1];
  assert.deepEqual(await command('up'), { type: 'up', driver: 'process', nodes: 3, zones: [] });
  assert.deepEqual(await command('up', '--driver=kind', '--nodes', '4', '--zones', 'a,b'), {
    type: 'up',
    driver: 'kind',
    nodes: 4,
    zones: ['a', 'b'],
  });
  assert.deepEqual(await command('list'), { type: 'list' });
  assert.deepEqual(await command('down'), { type: 'down', name: undefined });
  assert.deepEqual(await command('down', 'peili-1-abcd'), { type: 'down', name: 'peili-1-abcd' });
  const { code, err } = await run(['testbed', 'up', '--driver', 'vagrant']);
  assert.deepEqual([code, err], [2, 'peili: --driver "vagrant": give process, netns, docker, kind\n']);
});

test('program: each command of the simulator gets its options', async () => {
  const command = async (...argv: string[]): Promise<unknown> =>
    ((await run(['sim', ...argv])).calls as [string, unknown][])[0]?.[1];
  const none = { nodes: undefined, seeds: undefined, policies: undefined, report: undefined };
  assert.deepEqual(await command('run', 'x'), { type: 'run', scenario: 'x', seed: 1, set: [], json: false, ...none });
  assert.deepEqual(
    await command(
      'run',
      'x',
      '--nodes=5',
      '--seeds',
      '3',
      '--seed',
      '9',
      '--policy',
      'a, b',
      '--set',
      'a=1',
      '--set',
      'b=2',
      '--report',
      'o',
      '--json',
    ),
    {
      type: 'run',
      scenario: 'x',
      nodes: 5,
      seeds: 3,
      seed: 9,
      policies: ['a', 'b'],
      set: ['a=1', 'b=2'],
      report: 'o',
      json: true,
    },
  );
  const shard = { index: 1, count: 8 };
  assert.deepEqual(await command('hunt', '--budget', '10m', '--shard', '2/8'), {
    type: 'hunt',
    budgetUs: 600_000_000,
    seed: 1,
    shard,
    workers: 1,
    save: undefined,
    json: false,
  });
  assert.deepEqual(await command('mutations', '--only', 'M1,M2'), {
    type: 'mutations',
    only: ['M1', 'M2'],
    budgetUs: 60_000_000,
    workers: 1,
    json: false,
  });
  assert.deepEqual(await command('bench', '--only', 'core, replay'), {
    type: 'bench',
    only: ['core', 'replay'],
    json: false,
  });
  assert.deepEqual(await command('replay', 'l'), { type: 'replay', replay: 'l', last: 40, json: false, yaml: false });
  assert.deepEqual(await command('list'), { type: 'list', scenario: undefined, json: false });
});

test("program: an action's exit code is the program's", async () => {
  assert.equal((await run(['demo'], { demo: () => Promise.resolve(3) })).code, 3);
});

for (const [argv, says] of [
  [['bogus'], "peili: unknown command 'bogus'; see --help\n"],
  [['demo', '--jsn'], "peili: unknown option '--jsn' (Did you mean --json?); see --help\n"],
  [['sim', 'run'], "peili: missing required argument 'scenario'; see --help\n"],
  [['sim', 'rn'], "peili: unknown command 'rn' (Did you mean run?); see --help\n"],
  [['sim', 'run', 'x', '--seeds', '0'], 'peili: --seeds "0": give a whole number from 1 to 10000\n'],
  [['sim', 'hunt', '--shard', '9/8'], 'peili: --shard "9/8": give which one of how many, 2/8\n'],
  [['up', '--nodes', '0'], 'peili: --nodes "0": give a whole number from 1 to 64\n'],
  [['up', '--nodes', 'x'], 'peili: --nodes "x": give a whole number from 1 to 64\n'],
  [['up', '--nodes'], "peili: option '--nodes <count>' argument missing; see --help\n"],
  [
    ['registry', '--store=x'],
    'peili: --store "x": give containerd, or oci-layout:<directory>, where an OCI image layout is\n',
  ],
] as const) {
  test(`program: ${argv.join(' ')} is wrong use: one sentence, exit code 2, nothing run`, async () => {
    assert.deepEqual(await run(argv), { out: '', err: says, calls: [], code: 2 });
  });
}

test('program: what an action refuses is one sentence and 2; what nobody foresaw is 1', async () => {
  const refused = await run(['demo'], {
    demo: () => Promise.reject(new PeiliError('ADDRESS_IN_USE', 'port 1 is taken')),
  });
  assert.deepEqual([refused.code, refused.err], [2, 'peili: port 1 is taken\n']);
  const broken = await run(['demo'], { demo: () => Promise.reject(new TypeError('oops')) });
  assert.equal(broken.code, 1);
  assert.match(broken.err, /^peili: unexpected: TypeError: oops\n {4}at /);
});

test('program: help and version go to stdout with 0; no command shows the help with 2', async () => {
  for (const argv of [
    ['--help'],
    ['registry', '--help'],
    ['up', '-h'],
    ['demo', '--help'],
    ['sim', '--help'],
    ['sim', 'run', '--help'],
  ]) {
    const { code, out, err } = await run(argv);
    assert.deepEqual([code, err], [0, '']);
    assert.match(out, /^Usage: peili .*\nExamples:\n/s);
  }
  assert.deepEqual(
    [(await run(['--version'])).out, (await run(['version'])).out.slice(0, 17)],
    ['1.2.3\n', 'peili 1.2.3 (node'],
  );
  const bare = await run([]);
  assert.deepEqual([bare.code, bare.out], [2, '']);
  assert.match(bare.err, /^Usage: peili/);
});
