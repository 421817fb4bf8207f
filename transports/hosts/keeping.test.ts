import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { symlinkSync } from 'node:fs';
import { join } from 'node:path';
import process from 'node:process';
import { test } from 'node:test';
import { limitsWith } from '../../core/index.ts';
import type { Clock, NodeEvent } from '../../core/index.ts';
import { createVirtualClock } from '../../core/testing/virtual-clock.ts';
import { createSystemClock } from '../system/clock.ts';
import { configureHosts } from './configure-hosts.ts';
import { keepHosts } from './hosts-keeper.ts';
import { setUpHosts, target } from './testing/hosts-setup.ts';
import type { HostsSetup } from './testing/hosts-setup.ts';

const limits = limitsWith({ hostsMendDelayUs: 20_000, hostsMendIntervalUs: 0, hostsLookIntervalUs: 3_600_000_000 });
const theirs = '[host."https://k3s.example"]\n';

interface Keeping extends AsyncDisposable {
  readonly hosts: HostsSetup;
  readonly events: readonly NodeEvent[];
  /** Paths mended so far, below the root. */
  mended(): string[];
  /** Looks that were begun. */
  looks(): number;
}

/** A keeper that sees changes, in real time. */
function keep(hosts: HostsSetup): Keeping {
  const events: NodeEvent[] = [];
  const system = createSystemClock();
  let looks = 0;
  const clock: Clock = {
    ...system,
    schedule: (delayUs, callback) =>
      system.schedule(delayUs, () => {
        looks += 1;
        callback();
      }),
  };
  const keeper = keepHosts({ clock, onNode: (event) => void events.push(event) }, { configPath: hosts.root, limits });
  return {
    hosts,
    events,
    mended: () =>
      events.flatMap((event) =>
        event.type === 'hosts-mended' ? event.paths.map((path) => path.slice(hosts.root.length + 1)) : [],
      ),
    looks: () => looks,
    [Symbol.asyncDispose]: keeper.close,
  };
}

/** The same with time that a test moves: looks by the interval. */
function keepByHand(hosts: HostsSetup, changes: Parameters<typeof limitsWith>[0] = {}) {
  const events: NodeEvent[] = [];
  const changed = { count: 0 };
  const clock = createVirtualClock();
  const keeper = keepHosts(
    { clock, onNode: (event) => void events.push(event), onChanged: () => void (changed.count += 1) },
    { configPath: hosts.root, limits: limitsWith(changes) },
  );
  return {
    events,
    /** How often it was said that what containerd reads has changed. */
    changes: () => changed.count,
    advance: clock.advance,
    /** Lets `us` pass, and a look begin if one falls into it. */
    pass: async (us: number) => {
      await clock.advance(us);
      await until(() => clock.pending() > 0, 'the next look');
    },
    [Symbol.asyncDispose]: keeper.close,
  };
}

async function until(condition: () => boolean, what: string): Promise<void> {
  const limitMs = performance.now() + 10_000;
  while (!condition()) {
    if (performance.now() > limitMs) throw new Error(`waited in vain: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

/** A mirror that runs beside what was configured, and has looked once. */
async function configured(hosts: HostsSetup, options: Parameters<HostsSetup['configure']>[0] = {}): Promise<Keeping> {
  await hosts.configure(options);
  const keeping = keep(hosts);
  // That it looks is seen by what it mends.
  hosts.remove('canary.peili.internal');
  await until(() => keeping.mended().length > 0, 'the first mend');
  return keeping;
}

test('keeping: a file that vanishes is written again', async () => {
  using hosts = setUpHosts();
  await using keeping = await configured(hosts);
  const text = hosts.read('_default/hosts.toml');
  hosts.remove('_default/hosts.toml');
  await until(() => keeping.mended().includes('_default/hosts.toml'), 'the mend');
  assert.equal(hosts.read('_default/hosts.toml'), text);
});

test('keeping: what happens in the directory of a registry is seen, long before the next look', async () => {
  using hosts = setUpHosts();
  await hosts.configure();
  await using keeping = keepByHand(hosts, { hostsLookIntervalUs: 3_600_000_000, hostsMendDelayUs: 1_000 });
  await keeping.pass(0);
  hosts.remove('_default/hosts.toml');
  await until(() => {
    void keeping.advance(1_000);
    return hosts.exists('_default/hosts.toml');
  }, 'the mend');
});

test('keeping: a whole directory that vanishes is made again', async () => {
  using hosts = setUpHosts();
  hosts.write('docker.io/hosts.toml', theirs);
  await using keeping = await configured(hosts, { prependExisting: true });
  const text = hosts.read('docker.io/hosts.toml');
  hosts.remove('docker.io');
  await until(() => keeping.mended().includes('docker.io/hosts.toml'), 'the mend');
  assert.equal(hosts.read('docker.io/hosts.toml'), text);
});

test('keeping: everything comes back when somebody empties the config path', async () => {
  using hosts = setUpHosts();
  await using keeping = await configured(hosts);
  const before = hosts.files();
  for (const name of ['_default', 'canary.peili.internal', '_backup']) hosts.remove(name);
  await until(() => keeping.mended().includes('_default/hosts.toml'), 'the mend');
  await until(() => hosts.exists('_backup/peili.json'), 'the state');
  assert.deepEqual(hosts.files(), before);
});

for (const prependExisting of [false, true]) {
  test(`keeping: what a distribution writes over ours is kept ${prependExisting ? 'behind ours' : 'aside'}`, async () => {
    using hosts = setUpHosts();
    await using keeping = await configured(hosts, { mirroredRegistries: ['docker.io'], prependExisting });
    hosts.write('docker.io/hosts.toml', theirs);
    await until(() => keeping.mended().includes('docker.io/hosts.toml'), 'the mend');
    const text = hosts.read('docker.io/hosts.toml');
    assert.ok(text.includes(target));
    assert.equal(text.endsWith(theirs), prependExisting);
    assert.equal(hosts.read('_backup/docker.io/hosts.toml'), theirs);
    await keeping[Symbol.asyncDispose]();
    await hosts.clean();
    assert.equal(hosts.read('docker.io/hosts.toml'), theirs);
  });
}

test('keeping: a registry that an administrator adds is left to him', async () => {
  using hosts = setUpHosts();
  await using keeping = await configured(hosts);
  hosts.write('quay.io/hosts.toml', theirs);
  hosts.remove('_default');
  await until(() => keeping.mended().includes('_default/hosts.toml'), 'the mend');
  assert.equal(hosts.read('quay.io/hosts.toml'), theirs);
});

test('keeping: where nothing was configured nothing is written; a configuration that comes later is kept', async () => {
  using hosts = setUpHosts();
  hosts.write('docker.io/hosts.toml', theirs);
  await using keeping = keepByHand(hosts, { hostsLookIntervalUs: 30_000_000 });
  await keeping.pass(90_000_000);
  assert.deepEqual([hosts.files(), keeping.events], [{ 'docker.io/hosts.toml': theirs }, []]);
  await hosts.configure();
  hosts.remove('_default');
  await keeping.pass(30_000_000);
  await until(() => hosts.exists('_default/hosts.toml'), 'the mend');
});

test('keeping: what a cleanup removed stays away, whenever it is looked at', async () => {
  using hosts = setUpHosts();
  hosts.write('docker.io/hosts.toml', theirs);
  await using keeping = await configured(hosts);
  await hosts.clean();
  const before = { mends: keeping.mended().length, looks: keeping.looks() };
  // What others go on writing is looked at; the third look has begun when the second has ended.
  await until(() => {
    hosts.remove('ghcr.io');
    hosts.write('ghcr.io/hosts.toml', theirs);
    return keeping.looks() >= before.looks + 4;
  }, 'four looks');
  assert.deepEqual(hosts.files(), { 'docker.io/hosts.toml': theirs, 'ghcr.io/hosts.toml': theirs });
  assert.equal(keeping.mended().length, before.mends);
});

test('keeping: two writers that undo each other are no race', async () => {
  using hosts = setUpHosts();
  await hosts.configure();
  const hostsMendIntervalUs = 10_000_000;
  await using keeping = keepByHand(hosts, { hostsMendIntervalUs, hostsMendDelayUs: 500_000 });
  await keeping.pass(500_000);
  let removals = 0;
  for (let passedUs = 0; passedUs < 60_000_000; passedUs += 500_000) {
    if (hosts.exists('_default/hosts.toml')) {
      hosts.remove('_default/hosts.toml');
      removals += 1;
    }
    await keeping.pass(500_000);
  }
  const mends = keeping.events.filter(({ type }) => type === 'hosts-mended').length;
  assert.ok(mends >= 2 && mends <= 7, `${mends} mends in a minute`);
  assert.ok(removals >= mends);
});

test('keeping: what cannot be mended is told, and the rest is mended', async () => {
  using hosts = setUpHosts();
  await hosts.configure({ mirroredRegistries: ['docker.io', 'ghcr.io'] });
  hosts.remove('docker.io');
  hosts.remove('ghcr.io');
  symlinkSync('/nowhere', join(hosts.root, 'docker.io'));
  await using keeping = keepByHand(hosts);
  await keeping.pass(0);
  await until(() => keeping.events.length > 1, 'what became of it');
  const [failed, mended] = keeping.events;
  assert.ok(failed?.type === 'hosts-failed' && failed.reason.includes('docker.io is a link'), JSON.stringify(failed));
  assert.deepEqual(mended, { type: 'hosts-mended', paths: [join(hosts.root, 'ghcr.io/hosts.toml')] });
});

test('keeping: what the disk refuses for one registry is told, and the rest is mended', async () => {
  using hosts = setUpHosts();
  await hosts.configure({ mirroredRegistries: ['docker.io', 'ghcr.io'] });
  // What is there cannot be put aside: where it would go stands a file.
  hosts.write('docker.io/hosts.toml', theirs);
  hosts.write('_backup/docker.io', '');
  hosts.remove('ghcr.io');
  await using keeping = keepByHand(hosts);
  await keeping.pass(0);
  await until(() => keeping.events.length > 0, 'what became of it');
  const [failed] = keeping.events;
  assert.ok(failed?.type === 'hosts-failed' && failed.reason.includes('docker.io'), JSON.stringify(failed));
  assert.ok(hosts.exists('ghcr.io/hosts.toml'));
  assert.equal(hosts.read('docker.io/hosts.toml'), theirs);
});

test('keeping: a mend that fails is tried again at the pace of mends, whatever is seen of it', async () => {
  using hosts = setUpHosts();
  await hosts.configure();
  await using keeping = keepByHand(hosts, { hostsMendIntervalUs: 10_000_000, hostsMendDelayUs: 500_000 });
  await keeping.pass(500_000);
  for (const name of ['_default', '_backup']) hosts.remove(name);
  // In its place stands a file, which no state can be written into.
  hosts.write('_backup', '');
  for (let passedUs = 0; passedUs < 60_000_000; passedUs += 500_000) await keeping.pass(500_000);
  const failures = keeping.events.filter(({ type }) => type === 'hosts-failed').length;
  assert.ok(failures >= 2 && failures <= 7, `${failures} failures in a minute`);
});

test('keeping: a mend, another configuration and a cleanup are told, since they decide whether containerd asks; a look that finds all well is not', async () => {
  using hosts = setUpHosts();
  await hosts.configure();
  await using keeping = keepByHand(hosts);
  const look = () => keeping.pass(limits.hostsMendIntervalUs + 31_000_000);
  await keeping.pass(0);
  await look();
  assert.equal(keeping.changes(), 0);
  // What is seen of a change may plan another look before this one has ended.
  const told = async (changes: number): Promise<void> => {
    await look();
    await until(() => keeping.changes() >= changes, `change ${changes} is told`);
    assert.equal(keeping.changes(), changes);
  };
  hosts.remove('_default/hosts.toml');
  await told(1);
  await hosts.configure({ mirroredRegistries: ['docker.io'] });
  await told(2);
  await hosts.clean();
  await told(3);
  await look();
  assert.equal(keeping.changes(), 3);
});

test('keeping: a config path that is not there is no matter', async () => {
  using hosts = setUpHosts();
  const clock = createVirtualClock();
  const events: NodeEvent[] = [];
  const keeper = keepHosts(
    { clock, onNode: (event) => void events.push(event) },
    { configPath: join(hosts.root, 'absent'), limits: limitsWith({}) },
  );
  await clock.advance(0);
  await until(() => clock.pending() > 0, 'the next look');
  await keeper.close();
  assert.deepEqual([events, clock.pending(), hosts.files()], [[], 0, {}]);
});

test('keeping: a writer that was overtaken by another one puts nothing aside that is not theirs', async () => {
  using hosts = setUpHosts();
  hosts.write('docker.io/hosts.toml', theirs);
  const options = {
    configPath: hosts.root,
    mirroredRegistries: ['docker.io'],
    mirrorTargets: [target],
    resolveTags: true,
    prependExisting: false,
  };
  let overtaken = false;
  const onChange = (what: string, path: string): void => {
    if (overtaken || what !== 'keep' || !path.endsWith('docker.io/hosts.toml')) return;
    overtaken = true;
    // Another process, from its begin to its end.
    const module = new URL('configure-hosts.ts', import.meta.url).href;
    const run = `const { configureHosts } = await import(${JSON.stringify(module)}); await configureHosts({}, ${JSON.stringify(options)});`;
    execFileSync(process.execPath, ['--input-type=module', '-e', run]);
  };
  await configureHosts({ onChange }, options);
  assert.ok(overtaken);
  assert.equal(hosts.read('_backup/docker.io/hosts.toml'), theirs);
  await hosts.clean();
  assert.deepEqual(hosts.files(), { 'docker.io/hosts.toml': theirs });
});

test('keeping: the mirror and a configuration may write at the same time', async () => {
  for (let round = 0; round < 20; round += 1) {
    using hosts = setUpHosts();
    const prependExisting = round % 2 === 0;
    hosts.write('docker.io/hosts.toml', theirs);
    await hosts.configure({ prependExisting });
    hosts.write('docker.io/hosts.toml', `# ${round}\n${theirs}`);
    await Promise.all(Array.from({ length: 3 }, () => hosts.configure({ prependExisting })));
    assert.equal(hosts.read('_backup/docker.io/hosts.toml'), `# ${round}\n${theirs}`);
    await hosts.clean();
    assert.deepEqual(hosts.files(), { 'docker.io/hosts.toml': `# ${round}\n${theirs}` });
  }
});
