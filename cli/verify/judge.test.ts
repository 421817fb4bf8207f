import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Check, CheckName, CheckStatus } from './check.ts';
import type { CanaryFact, Expectations, Facts, HostsFile, ImageObject } from './facts.ts';
import { judge } from './judge.ts';

const expected: Expectations = {
  socket: '/run/containerd/containerd.sock',
  registryConfigPath: '/etc/containerd/certs.d',
  registryUrl: 'http://127.0.0.1:5000',
  metricsUrl: 'http://127.0.0.1:9090',
  membersMin: 1,
};
const read = <T>(value: T) => ({ type: 'read', value }) as const;
const failed = (reason: string) => ({ type: 'failed', reason }) as const;
const hostsFile = (registry: string, ...urls: readonly string[]): HostsFile => ({ registry, hosts: read(urls) });
const canary = (outcome: CanaryFact['outcome'], changes: Partial<CanaryFact> = {}): CanaryFact => ({
  outcome,
  reason: 'a reason',
  tookMs: 42,
  keepsLayers: outcome === 'arrived' ? true : undefined,
  ...changes,
});

/** A node that is well. */
const well: Facts = {
  containerd: read({ runtime: 'containerd', version: '2.1.9', number: { major: 2, minor: 1 } }),
  config: read({
    files: ['/etc/containerd/config.toml'],
    configPath: '/etc/containerd/certs.d',
    discardsLayers: false,
    pullsByTransfer: true,
    inlineMirrors: [],
  }),
  layers: read({ kept: 12, gone: 0 }),
  content: read({ path: '/var/lib/containerd/content', unreadable: undefined, isEmpty: false }),
  hosts: read([
    hostsFile('_default', 'http://127.0.0.1:5000'),
    hostsFile('canary.peili.internal', 'http://127.0.0.1:5000'),
  ]),
  mirror: read(200),
  ready: read({ status: 200, reason: 'members met: 2' }),
  members: read({ total: 2, connected: 2, mode: 'on' }),
  canary: canary('arrived'),
  image: undefined,
};

function checks(changes: Partial<Facts>, told: Partial<Expectations> = {}): ReadonlyMap<CheckName, Check> {
  return new Map(judge({ ...well, ...changes }, { ...expected, ...told }).map((check) => [check.name, check]));
}

function status(name: CheckName, changes: Partial<Facts>, told: Partial<Expectations> = {}): CheckStatus {
  const check = checks(changes, told).get(name);
  assert.ok(check);
  // What is wrong says what to do, and so does what could not be seen.
  assert.equal(check.mend !== undefined, check.status === 'wrong' || check.status === 'unknown', JSON.stringify(check));
  assert.doesNotMatch(`${check.seen}${check.mend ?? ''}`, /undefined|\[object|NaN/);
  return check.status;
}

const namesBy = (wanted: CheckStatus, changes: Partial<Facts>): CheckName[] =>
  [...checks(changes).values()].flatMap((check) => (check.status === wanted ? [check.name] : []));

test('judge: on a node that is well all is ok, but for the image that nobody named', () => {
  assert.deepEqual([namesBy('wrong', {}), namesBy('unknown', {}), namesBy('skipped', {})], [[], [], ['image']]);
});

test('judge: what hangs on something that is not there is skipped, not wrong too', () => {
  const noMirror = failed('connect ECONNREFUSED');
  const stopped = { mirror: noMirror, ready: noMirror, members: noMirror, canary: undefined };
  assert.deepEqual(namesBy('wrong', stopped), ['mirror']);
  assert.deepEqual(namesBy('skipped', stopped), ['ready', 'members', 'canary', 'image']);
  const away = failed('connect ENOENT');
  const gone = { containerd: away, layers: away, content: away, canary: undefined };
  assert.deepEqual(namesBy('wrong', gone), ['containerd']);
  assert.deepEqual(namesBy('skipped', gone), ['content', 'canary', 'image']);
});

test('judge containerd: another runtime, or one too old, is wrong; a version that nobody can read is not', () => {
  const of = (runtime: string, version: string, major?: number) =>
    read({ runtime, version, number: major === undefined ? undefined : { major, minor: 5 } });
  assert.equal(status('containerd', { containerd: of('cri-o', '1.34.0', 1) }), 'wrong');
  assert.equal(status('containerd', { containerd: of('containerd', '1.5.9', 1) }), 'wrong');
  assert.equal(status('containerd', { containerd: of('containerd', 'main') }), 'ok');
});

const config = (changes: object): Facts['config'] => {
  assert.ok(well.config.type === 'read');
  return read({ ...well.config.value, ...changes });
};

test('judge config path: behaviour is believed more than text', () => {
  const unreadable = failed('ENOENT');
  const other = config({ configPath: '/etc/other' });
  for (const outcome of ['arrived', 'elsewhere'] as const) {
    assert.equal(status('config-path', { config: unreadable, canary: canary(outcome) }), 'ok');
    assert.equal(status('config-path', { config: other, canary: canary(outcome) }), 'unknown', 'they disagree');
  }
  for (const lost of [canary('not-asked'), canary('timeout'), undefined]) {
    assert.equal(status('config-path', { config: unreadable, canary: lost }), 'unknown');
    assert.equal(status('config-path', { config: other, canary: lost }), 'wrong');
    assert.equal(
      status('config-path', { canary: lost }),
      'ok',
      'the text is right; what else is wrong is said elsewhere',
    );
  }
});

test('judge config path: a list is well where the pull knows lists, slashes do not matter, mirrors in the file itself do', () => {
  const path = (changes: object): CheckStatus => status('config-path', { config: config(changes), canary: undefined });
  const list = '/etc/containerd/certs.d:/etc/docker/certs.d';
  assert.equal(path({ configPath: list }), 'wrong');
  assert.equal(path({ configPath: list, pullsByTransfer: false }), 'ok');
  assert.equal(path({ configPath: '/a:/b', pullsByTransfer: false }), 'wrong');
  assert.equal(path({ configPath: '/etc/containerd//certs.d/' }), 'ok');
  assert.equal(path({ configPath: '', inlineMirrors: ['docker.io'] }), 'wrong');
});

test('judge layers: what containerd does is seen at the canary, or at the images that are there', () => {
  const discards = config({ discardsLayers: true });
  const rows: readonly (readonly [CheckStatus, Partial<Facts>])[] = [
    ['ok', {}],
    ['ok', { canary: undefined }],
    ['wrong', { canary: canary('arrived', { keepsLayers: false }) }],
    ['wrong', { config: discards, canary: undefined }],
    ['unknown', { config: discards }],
    ['ok', { config: failed('EACCES') }],
    ['wrong', { config: failed('EACCES'), canary: undefined, layers: read({ kept: 0, gone: 3 }) }],
    ['ok', { config: failed('EACCES'), canary: undefined, layers: read({ kept: 3, gone: 0 }) }],
    ['unknown', { config: failed('EACCES'), canary: undefined, layers: read({ kept: 2, gone: 1 }) }],
    ['unknown', { config: failed('EACCES'), canary: undefined, layers: failed('no answer') }],
  ];
  for (const [wanted, changes] of rows) assert.equal(status('layers', changes), wanted, JSON.stringify(changes));
  const lost = checks({ layers: read({ kept: 5, gone: 2 }) }).get('layers');
  assert.equal(lost?.status, 'ok');
  assert.match(lost?.lines?.[0] ?? '', /^2 of 7 images have lost their layers/);
});

test('judge layers: the table to change is that of the version', () => {
  const mend = (major: number): string => {
    const containerd = read({ runtime: 'containerd', version: 'x', number: { major, minor: 7 } });
    return (
      checks({ containerd, config: config({ discardsLayers: true }), canary: undefined }).get('layers')?.mend ?? ''
    );
  };
  assert.match(mend(1), /\[plugins\.'io\.containerd\.grpc\.v1\.cri'\.containerd\]/);
  assert.match(mend(2), /\[plugins\.'io\.containerd\.cri\.v1\.images'\]/);
});

test('judge content: a store that cannot be read is wrong, an empty one is not', () => {
  const path = '/var/lib/containerd/content';
  assert.equal(status('content', { content: read({ path, unreadable: 'EACCES', isEmpty: false }) }), 'wrong');
  assert.equal(status('content', { content: read({ path, unreadable: 'ENOENT', isEmpty: true }) }), 'ok');
  assert.equal(status('content', { content: failed('containerd does not say') }), 'unknown');
});

test('judge hosts: this mirror is first for some registry, and the canary has a way', () => {
  const own = 'http://127.0.0.1:5000';
  const other = 'http://10.0.0.9:5000';
  const hosts = (...files: readonly HostsFile[]): CheckStatus => status('hosts', { hosts: read(files) });
  const bird = hostsFile('canary.peili.internal', own);
  assert.equal(hosts(bird, hostsFile('docker.io', own)), 'ok');
  assert.equal(hosts(hostsFile('_default', `${own}/`)), 'ok', 'a slash at the end is the same');
  assert.equal(hosts(hostsFile('docker.io', own)), 'wrong', 'no way for the canary');
  assert.equal(hosts(bird), 'wrong', 'no registry');
  assert.equal(hosts(), 'wrong');
  assert.equal(hosts(bird, hostsFile('docker.io', other, own)), 'wrong');
  assert.equal(hosts(bird, hostsFile('_default', own), { registry: 'quay.io', hosts: failed('line 1: bad') }), 'wrong');
  const past = checks({ hosts: read([bird, hostsFile('_default', own), hostsFile('quay.io', other)]) }).get('hosts');
  assert.equal(past?.status, 'ok');
  assert.match(past?.lines?.join() ?? '', /^quay\.io\/hosts\.toml does not name this mirror/);
});

test('judge hosts: an URL that verify does not know is this mirror if the canary came that way, and unknown if not', () => {
  const url = 'http://10.0.0.7:30020';
  const hosts = read([hostsFile('canary.peili.internal', url), hostsFile('_default', url)]);
  assert.equal(status('hosts', { hosts }), 'ok', "the mirror's name for containerd is the one in the canary's file");
  for (const fact of [undefined, canary('not-asked'), canary('elsewhere')]) {
    const seen = checks({ hosts, canary: fact }).get('hosts');
    assert.equal(seen?.status, 'unknown', fact?.outcome ?? 'none');
    assert.match(seen.seen, /names http:\/\/10\.0\.0\.7:30020 first, for _default/);
    assert.match(seen.mend ?? '', /--mirror-targets/);
  }
});

test('judge hosts: a directory that is not there is wrong, unless the canary went that way', () => {
  const hosts = failed('ENOENT: no such file or directory');
  assert.equal(status('hosts', { hosts, canary: canary('not-asked') }), 'wrong');
  assert.equal(status('hosts', { hosts, canary: undefined }), 'wrong');
  assert.equal(status('hosts', { hosts }), 'unknown', 'it is somewhere where verify does not see it');
  assert.equal(status('hosts', { hosts: failed('EACCES'), canary: undefined }), 'unknown');
});

test('judge mirror: who else answers there is told apart from who wants a password', () => {
  assert.match(checks({ mirror: read(401) }).get('mirror')?.mend ?? '', /--basic-auth-path/);
  assert.equal(status('mirror', { mirror: read(404) }), 'wrong');
  assert.equal(status('ready', { ready: read({ status: 503, reason: 'not connected yet' }) }), 'wrong');
  assert.equal(status('ready', { ready: failed('no answer in time') }), 'unknown');
});

test('judge ready: what the operator has switched off is said, and not wrong', () => {
  for (const mode of ['off', 'serve-only']) {
    const ready = checks({ members: read({ total: 2, connected: 2, mode }) }).get('ready');
    assert.equal(ready?.status, 'skipped');
    assert.match(ready.seen, mode === 'off' ? /switched off/ : /serves other mirrors only/);
  }
});

test('judge members: as many as there ought to be; nobody is wrong, unless the node is meant to be alone', () => {
  const alone = { members: read({ total: 0, connected: 0, mode: 'on' }) };
  assert.equal(status('members', alone), 'wrong');
  assert.equal(status('members', alone, { membersMin: 0 }), 'ok');
  assert.equal(status('members', {}, { membersMin: 3 }), 'wrong');
  assert.equal(status('members', { members: failed('it has no peili_members') }), 'unknown');
});

test('judge canary: only what arrived here is a proof', () => {
  assert.deepEqual(
    (['arrived', 'elsewhere', 'not-asked', 'timeout', 'unreachable'] as const).map((outcome) =>
      status('canary', { canary: canary(outcome) }),
    ),
    ['ok', 'wrong', 'wrong', 'wrong', 'unknown'],
  );
  const { seen } = checks({ canary: canary('not-asked', { cause: 'no such host' }) }).get('canary') ?? {};
  assert.match(seen ?? '', /: no such host$/);
  assert.match(checks({ canary: undefined }).get('canary')?.seen ?? '', /--canary false/);
});

test('judge image: whole it is well, from whom object by object; what nobody has, or a filter keeps out, is named', () => {
  const object = (changes: Partial<ImageObject>): ImageObject => ({
    kind: 'layer',
    digest: `sha256:${'a'.repeat(64)}`,
    status: 200,
    bytes: 2048,
    tookMs: 12,
    sources: [{ source: 'local', address: undefined, bytes: 2048 }],
    failure: undefined,
    ...changes,
  });
  const image = (...objects: readonly ImageObject[]) =>
    checks({ image: read({ reference: 'docker.io/library/app:1', objects }) }).get('image');
  const whole = image(
    object({ kind: 'manifest' }),
    object({
      sources: [
        { source: 'a', address: '10.0.0.7', bytes: 1000 },
        { source: 'b', address: undefined, bytes: 1048 },
      ],
    }),
    object({ sources: undefined }),
  );
  assert.equal(whole?.status, 'ok');
  assert.match(whole?.seen ?? '', /^docker\.io\/library\/app:1: 6\.0 KiB in 36 ms/);
  assert.deepEqual(
    whole?.lines?.map((line) => line.replace(/ +/g, ' ')),
    [
      'manifest sha256:aaaaaaaaaaaa 2.0 KiB 12 ms from this node',
      'layer sha256:aaaaaaaaaaaa 2.0 KiB 12 ms from 1000 B of 10.0.0.7 (a), 1.0 KiB of b',
      'layer sha256:aaaaaaaaaaaa 2.0 KiB 12 ms from a source that the mirror does not name',
    ],
  );
  const mend = (changes: Partial<ImageObject>): string => {
    const check = image(object(changes));
    assert.equal(check?.status, 'wrong');
    return check.mend ?? '';
  };
  assert.match(mend({ status: 404, failure: 'MANIFEST_UNKNOWN' }), /^nobody has it/);
  assert.match(mend({ status: 404, failure: 'FILTERED' }), /--registry-filters/);
  assert.match(mend({ failure: 'terminated' }), /--request-log/);
});
