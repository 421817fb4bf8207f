import assert from 'node:assert/strict';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { formatCase, parseScenario } from '../../sim/index.ts';
import type { SimCommand } from './sim-commands.ts';
import { sim } from './sim.ts';

const quick = `
name: <b>quick</b> & small
shows: that "it" works
cluster: { nodes: 3 }
images: [{ name: docker.io/library/app:1, layers: 5MB }]
workload:
  - { pull: docker.io/library/app:1, on: n0 }
  - { pull: docker.io/library/app:1, except: n0, at: 5s }
faults: [{ kind: crash, on: n2, at: 1s, for: 1s }]
expect: { peili: { failed: 0, upstreamCopies: at most 1.01 } }
`;

let directory = '';
before(async () => {
  directory = await mkdtemp(join(tmpdir(), 'peili-sim-'));
  await writeFile(join(directory, 'quick.yaml'), quick);
});
after(() => rm(directory, { recursive: true, force: true }));

interface Seen {
  out: string;
  err: string;
}

async function does(
  command: SimCommand,
  { signal = new AbortController().signal, width = Infinity, onProgress = (_text: string): void => undefined } = {},
): Promise<Seen & { code: number }> {
  const seen: Seen = { out: '', err: '' };
  const progress = {
    line: (text = ''): void => void (seen.err += `${text}\n`),
    progress: onProgress,
    clear: (): void => undefined,
  };
  const writeOut = (text: string): void => void (seen.out += text);
  const code = await sim(command, { version: '1.2.3', width, signal, writeOut, progress });
  return { ...seen, code };
}

const run = (changes: Partial<SimCommand & { type: 'run' }> = {}): SimCommand => ({
  type: 'run',
  scenario: join(directory, 'quick.yaml'),
  nodes: undefined,
  seed: 1,
  seeds: 2,
  policies: undefined,
  set: [],
  report: undefined,
  json: false,
  ...changes,
});

test('sim run: a line for each policy, and 0 when all is as expected', async () => {
  const { code, err, out } = await does(run());
  assert.deepEqual([code, err], [0, '']);
  assert.match(
    out,
    /^policy +peili +noMirror\nmakespan +\S+ s .*\n(?:.*\n)*upstream copies +1\.00 +3\.00\n(?:.*\n)*\nmakespan: /,
  );
});

test('sim run: an expectation that is not met is told, and the code is 1', async () => {
  const { code, out } = await does(run({ set: ['expect.peili.upstreamCopies=at most 0.5'], seeds: 1 }));
  assert.equal(code, 1);
  assert.match(out, /\n✘ peili, seed 1: upstreamCopies is 1.*, expected at most 0\.5\n$/);
});

test('sim run: as JSON one object, the same for the same seed', async () => {
  const [first, again] = [await does(run({ json: true })), await does(run({ json: true }))];
  assert.equal(first.out, again.out);
  const { nodes, runs, stopped, troubles } = JSON.parse(first.out) as {
    nodes: number;
    runs: { policy: string; seed: number }[];
    stopped: boolean;
    troubles: unknown[];
  };
  assert.deepEqual([nodes, stopped, troubles], [3, false, []]);
  assert.deepEqual(
    runs.map(({ policy, seed }) => [policy, seed]),
    [
      ['peili', 1],
      ['noMirror', 1],
      ['peili', 2],
      ['noMirror', 2],
    ],
  );
});

test('sim run: stopped, it prints what is known by then', async () => {
  const stop = new AbortController();
  const { code, err, out } = await does(run({ seeds: 1000, policies: ['peili'] }), {
    signal: stop.signal,
    onProgress: (text) => {
      if (!text.includes('run 1 of 1000')) stop.abort();
    },
  });
  assert.equal(code, 130);
  assert.match(err, /^Stopped after \d+ of 1000 runs\.\n$/);
  assert.match(out, /^policy +peili\nmakespan +\d/);
});

test('sim run: the report is one page without anything from elsewhere, whatever the names in it are', async () => {
  const report = join(directory, 'out.html');
  assert.equal((await does(run({ report }))).code, 0);
  const page = await readFile(report, 'utf8');
  assert.doesNotMatch(page, /(?:src|href)="(?!#|data:,")|@import|url\(/);
  assert.ok(!page.includes('<b>quick</b>'));
  assert.match(page, /&lt;b&gt;quick&lt;\/b&gt; &amp; small/);
  assert.equal(page.match(/<details class="row"/g)?.length, 6);
  assert.match(page, /crash of n2 at 1 s, for 1 s/);
  assert.ok(!/NaN|undefined|Infinity/.test(page));
});

test('sim run: a file that is not there, and one that is wrong, are one sentence', async () => {
  await assert.rejects(
    does(run({ scenario: join(directory, 'no.yaml') })),
    /no\.yaml" cannot be read: there is no such file or folder$/,
  );
  await assert.rejects(
    does(run({ scenario: 'cold' })),
    /^PeiliError: "cold" is no scenario \(did you mean cold-start\?\): peili sim list says which there are, and a file of yours is \.\/cold$/,
  );
  await assert.rejects(does(run({ policies: ['peli'] })), /^PeiliError: --policy peli: .*did you mean peili/);
});

test('sim list: each with what it shows; one as it stands, to begin your own with', async () => {
  const { code, out } = await does({ type: 'list', scenario: undefined, json: false });
  assert.equal(code, 0);
  assert.match(out, /^cold-start +\S.*\n/);
  const named = await does({ type: 'list', scenario: 'second-wave', json: false });
  assert.match(named.out, /^name: second wave\nshows: /);
});

test('sim check: the same run three times', async () => {
  const { code, out } = await does({ ...run({ policies: ['peili'] }), type: 'check' } as SimCommand);
  assert.equal(code, 0);
  assert.match(out, /^peili\nrun 1 .*\nrun 2 .*\nrun 3 .*\n.*: the same run 3 times\n$/);
});

test('sim replay: a line is the run that it names, and stops where it says', async () => {
  const line = 'peili-sim:1:second-wave:7:peili:50';
  const { code, out } = await does({ type: 'replay', replay: line, last: 2, json: false, yaml: false });
  assert.equal(code, 0);
  assert.match(out, /#\d+ .*\n.*#\d+ .*\n\n50 events, hash [0-9a-f]{16}\n✔ no law was broken\n$/);
  await assert.rejects(
    does({ type: 'replay', replay: 'peili-sim:1:x', last: 2, json: false, yaml: false }),
    /it is cut, or more was copied$/,
  );
  await assert.rejects(
    does({ type: 'replay', replay: 'no.txt', last: 2, json: false, yaml: false }),
    /"no\.txt" is no replay .*: there is no such file or folder$/,
  );
});

test('sim replay: the scenario of a line as a file is the same scenario', async () => {
  const replay = 'peili-sim:1:second-wave:7:peili';
  const { code, out } = await does({ type: 'replay', replay, last: 0, json: false, yaml: true });
  assert.equal(code, 0);
  const named = parseScenario((await does({ type: 'list', scenario: 'second-wave', json: false })).out).scenario;
  assert.deepEqual(parseScenario(out).scenario, { ...named, name: 'second-wave' });
});

test('sim replay: a case is run to its end, and one that was changed by hand is one sentence', async () => {
  const saved = { oracle: 'noByteTwice', seed: 3, scenario: parseScenario(quick).scenario };
  const file = join(directory, 'case.json');
  await writeFile(file, formatCase(saved));
  const { code, out } = await does({ type: 'replay', replay: file, last: 0, json: false, yaml: false });
  assert.equal(code, 0);
  assert.match(out, /^\n\d+ events, hash [0-9a-f]{16}\n✔ no law was broken\n$/);
  const fault = { atUs: 0, target: 7, what: { kind: 'crash' } } as const;
  await writeFile(file, formatCase({ ...saved, scenario: { ...saved.scenario, faults: [fault] } }));
  await assert.rejects(
    does({ type: 'replay', replay: file, last: 0, json: false, yaml: false }),
    /^PeiliError: ".*case\.json": the scenario of this case is wrong: faults\[0\]\.target: 7 is no node: 0 to 2, or "upstream"$/,
  );
  await writeFile(file, '{ "oracle": ');
  await assert.rejects(
    does({ type: 'replay', replay: file, last: 0, json: false, yaml: false }),
    /^PeiliError: ".*case\.json": /,
  );
  await assert.rejects(
    does({ type: 'replay', replay: 'peili-sim:1:second-wave:7:mine', last: 0, json: false, yaml: false }),
    /^PeiliError: there is no policy "mine" here: there are peili, noMirror, /,
  );
});

test('sim hunt: says how many seeds it tried; stopped, it says what is known by then', async () => {
  const stop = new AbortController();
  const shard = { index: 1, count: 8 };
  const command = { type: 'hunt', budgetUs: 60_000_000, seed: 1, shard, workers: 1, json: false } as const;
  const { code, out } = await does(
    { ...command, save: join(directory, 'found') },
    {
      signal: stop.signal,
      onProgress: (text) => {
        if (text.startsWith('2 seeds in ')) stop.abort();
      },
    },
  );
  assert.equal(code, 130, out);
  assert.match(
    out,
    /^Stopped: 2 seeds, 0 of them run twice, \d[\d,]* events in .* s: no law was broken\n\d+ of \d+ rare/,
  );
  assert.deepEqual(await readdir(join(directory, 'found')), []);
});

test('sim: on a screen of 80 columns no line is longer, and nothing is lost', async () => {
  const commands = [run({ seeds: 1 }), { type: 'list', scenario: undefined, json: false } as const];
  const words = (text: string): readonly string[] => text.trim().split(/\s+/);
  for (const command of commands) {
    const narrow = (await does(command, { width: 80 })).out;
    assert.deepEqual(words(narrow), words((await does(command)).out));
    assert.ok(
      narrow.split('\n').every((line) => line.length <= 80),
      narrow,
    );
  }
});

test('sim: stopped, check and replay end at once', async () => {
  const stopped = AbortSignal.abort();
  const check = { ...run({ policies: ['peili'] }), type: 'check' } as SimCommand;
  assert.deepEqual(await does(check, { signal: stopped }), { out: '', err: '', code: 130 });
  const stop = new AbortController();
  const halfway = await does(check, {
    signal: stop.signal,
    onProgress: () => {
      stop.abort();
    },
  });
  assert.deepEqual([halfway.out, halfway.code], ['', 130]);
});

for (const [given, says] of [
  ['second', '"second" is no scenario (did you mean second-wave?): peili sim list says which there are'],
  ['sceond-wave', '"sceond-wave" is no scenario (did you mean second-wave?): peili sim list says which there are'],
  ['x', '"x" is no scenario: peili sim list says which there are'],
] as const) {
  test(`sim list: ${given} is one sentence`, async () => {
    await assert.rejects(async () => does({ type: 'list', scenario: given, json: false }), { message: says });
  });
}

test('sim bench: a figure that there is not is one sentence, and nothing is measured', async () => {
  const seen = does({ type: 'bench', only: ['kernel', 'speed'], json: true });
  await assert.rejects(seen, /--only "speed": give names of kernel, core, /);
});
