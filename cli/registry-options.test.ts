import assert from 'node:assert/strict';
import { test } from 'node:test';
import { PeiliError, defaultLimits } from '../core/index.ts';
import { parseRegistryOptions } from './registry-options.ts';
import { flagText, registryFlags } from './registry-flags.ts';
import type { FlagName } from './registry-flags.ts';

const store = '--store=oci-layout:/srv/images';

test('options: with a store alone, the defaults', () => {
  const options = parseRegistryOptions([store], {});
  assert.deepEqual(options, {
    store: { kind: 'oci-layout', directory: '/srv/images' },
    registryAddress: { host: undefined, port: 5000 },
    routerAddress: ':5001',
    metricsAddress: { host: undefined, port: 9090 },
    bootstrap: { kind: 'none' },
    httpBootstrapAddress: undefined,
    dataDir: undefined,
    zone: '',
    hostsPath: undefined,
    basicAuthPath: '/etc/secrets/basic-auth',
    filter: { mirroredRegistries: [], registryFilters: [], resolveLatestTag: true, blobsOnlyRegistries: [] },
    blobVerification: 'suspect',
    modePaths: [],
    tagMaxAgeUs: undefined,
    limits: defaultLimits,
    canary: undefined,
    logLevel: 'INFO',
    requestLog: false,
    debugWebEnabled: true,
    debugPort: undefined,
    watchdog: true,
    warnings: [],
  });
  assert.ok(Object.isFrozen(options));
});

function containerd(changes: object): object {
  const socket = '/run/containerd/containerd.sock';
  return { kind: 'containerd', socket, namespace: 'k8s.io', contentPath: undefined, ...changes };
}

/** Each flag, a value for it, and where that shows. */
const told: Record<
  FlagName,
  readonly [string, (options: ReturnType<typeof parseRegistryOptions>) => unknown, unknown]
> = {
  store: ['oci-layout:/data', (o) => o.store, { kind: 'oci-layout', directory: '/data' }],
  containerdSock: [
    'unix:///run/k3s/containerd/containerd.sock',
    (o) => o.store,
    containerd({ socket: '/run/k3s/containerd/containerd.sock' }),
  ],
  containerdNamespace: ['moby', (o) => o.store, containerd({ namespace: 'moby' })],
  containerdContentPath: ['/content', (o) => o.store, containerd({ contentPath: '/content' })],
  containerdRegistryConfigPath: ['/certs.d', (o) => o.hostsPath, '/certs.d'],
  basicAuthPath: ['/secret', (o) => o.basicAuthPath, '/secret'],
  registryAddr: ['127.0.0.1:5010', (o) => o.registryAddress, { host: '127.0.0.1', port: 5010 }],
  routerAddr: ['[::1]:5011', (o) => o.routerAddress, '[::1]:5011'],
  metricsAddr: [':9091', (o) => o.metricsAddress.port, 9091],
  bootstrapKind: ['none', (o) => o.bootstrap, { kind: 'none' }],
  dnsBootstrapDomain: ['a.b', (o) => o.warnings.length, 1],
  httpBootstrapAddr: [':5002', (o) => o.httpBootstrapAddress, { host: undefined, port: 5002 }],
  httpBootstrapPeer: ['http://a:5002/id', (o) => o.warnings.length, 1],
  staticBootstrapPeers: ['/ip4/10.0.0.7/tcp/5001', (o) => o.warnings.length, 1],
  dataDir: ['/var/lib/peili', (o) => o.dataDir, '/var/lib/peili'],
  zone: ['eu-1a', (o) => o.zone, 'eu-1a'],
  mirroredRegistries: ['https://docker.io', (o) => o.filter.mirroredRegistries, ['https://docker.io']],
  registryFilters: [':latest$', (o) => o.filter.registryFilters, [':latest$']],
  blobsOnlyRegistries: ['ghcr.io', (o) => o.filter.blobsOnlyRegistries, ['ghcr.io']],
  resolveLatestTag: ['false', (o) => o.filter.resolveLatestTag, false],
  modePath: ['/etc/peili/mode', (o) => o.modePaths, ['/etc/peili/mode']],
  tagMaxAge: ['10m', (o) => o.tagMaxAgeUs, 600_000_000],
  blobVerification: ['always', (o) => o.blobVerification, 'always'],
  mirrorResolveTimeout: ['20ms', (o) => [o.limits.lookupTimeoutUs, o.limits.lookupMissTimeoutUs], [20_000, 20_000]],
  mirrorResolveRetries: ['3', (o) => o.limits.attemptsMax, 3],
  canaryInterval: ['90s', (o) => o.warnings.length, 1],
  logLevel: ['debug', (o) => o.logLevel, 'DEBUG'],
  requestLog: ['true', (o) => o.requestLog, true],
  debugWebEnabled: ['false', (o) => o.debugWebEnabled, false],
  debugPort: ['6060', (o) => o.debugPort, 6060],
  watchdog: ['false', (o) => o.watchdog, false],
};
for (const [name, [value, read, expected]] of Object.entries(told) as [FlagName, (typeof told)[FlagName]][]) {
  const { env } = registryFlags[name];
  test(`options: ${flagText(name)} and ${env} say the same, and the flag wins`, () => {
    const rest = name === 'store' || name.startsWith('containerd') ? [] : [store];
    assert.deepEqual(read(parseRegistryOptions([...rest, flagText(name), value], {})), expected);
    assert.deepEqual(read(parseRegistryOptions([...rest, `${flagText(name)}=${value}`], {})), expected);
    assert.deepEqual(read(parseRegistryOptions(rest, { [env]: value })), expected);
    assert.deepEqual(read(parseRegistryOptions([...rest, flagText(name), value], { [env]: 'nonsense\n"' })), expected);
    const silent = read(parseRegistryOptions([...rest, store], { [env]: '' }));
    assert.deepEqual(silent, read(parseRegistryOptions([store], {})), 'an empty variable says nothing');
  });
}

test('options: lists take several values, or repeated flags; in a variable commas', () => {
  const several = [
    '--mirrored-registries',
    'docker.io',
    'ghcr.io',
    '--registry-filters=a{1,2}',
    '--registry-filters=b',
    store,
  ];
  const { mirroredRegistries, registryFilters } = parseRegistryOptions(several, {}).filter;
  assert.deepEqual(
    [mirroredRegistries, registryFilters],
    [
      ['docker.io', 'ghcr.io'],
      ['a{1,2}', 'b'],
    ],
  );
  assert.deepEqual(parseRegistryOptions([store], { REGISTRY_FILTERS: '"a{1,2}",b' }).filter.registryFilters, [
    'a{1,2}',
    'b',
  ]);
});

test('options: each kind of bootstrap takes what is its own', () => {
  const bootstrap = (...argv: string[]) => parseRegistryOptions([store, ...argv], {}).bootstrap;
  assert.deepEqual(bootstrap('--bootstrap-kind=dns', '--dns-bootstrap-domain=a.b'), { kind: 'dns', host: 'a.b' });
  assert.deepEqual(bootstrap('--bootstrap-kind=http', '--http-bootstrap-peer=http://a/id'), {
    kind: 'http',
    url: 'http://a/id',
  });
  const peers = ['/ip4/10.0.0.7/tcp/5001', '/ip6/fd00::7/tcp/5001'];
  assert.deepEqual(bootstrap('--bootstrap-kind=static', '--static-bootstrap-peers', ...peers), {
    kind: 'static',
    peers,
  });
});

test('options: a boolean flag alone means true', () => {
  assert.equal(parseRegistryOptions([store, '--request-log'], {}).requestLog, true);
});

test("options: the arguments of Spegel's chart mean the same", () => {
  const argv = [
    '--log-level=INFO',
    '--mirror-resolve-retries=3',
    '--mirror-resolve-timeout=20ms',
    '--registry-addr=:5000',
    '--router-addr=:5001',
    '--metrics-addr=:9090',
    '--mirrored-registries',
    'https://docker.io',
    'https://ghcr.io',
    '--bootstrap-kind=dns',
    '--dns-bootstrap-domain=spegel-bootstrap.spegel.svc.cluster.local.',
    '--resolve-latest-tag=true',
    '--registry-filters',
    '^docker\\.io/.+:dev$',
    '--containerd-sock=/run/containerd/containerd.sock',
    '--containerd-namespace=k8s.io',
    '--containerd-content-path=/var/lib/containerd/io.containerd.content.v1.content',
  ];
  const options = parseRegistryOptions(argv, { DATA_DIR: '' });
  assert.deepEqual(options.warnings, []);
  assert.equal(options.bootstrap.kind, 'dns');
  assert.equal(options.dataDir, undefined);
});

const wrong: readonly [argv: readonly string[], says: RegExp][] = [
  [['--store=/srv'], /^--store "\/srv": give containerd, or oci-layout:<directory>/],
  [['--store'], /^option '--store <kind\[:place\]>' argument missing; see --help$/],
  [[store, '--stroe=x'], /^unknown option '--stroe=x' \(Did you mean --store\?\); see --help$/],
  [[store, '--containerd-sok=x'], /^unknown option '--containerd-sok=x'/],
  [['--containerd-sock=containerd.sock'], /^--containerd-sock "containerd.sock": give an absolute path$/],
  [['--containerd-namespace=k8s/io'], /^--containerd-namespace "k8s\/io": give a name of letters/],
  [['--containerd-content-path=content'], /^--containerd-content-path "content": give an absolute path$/],
  [[store, 'extra'], /^too many arguments/],
  [[store, '--registry-addr', '5000'], /^--registry-addr "5000": give host:port/],
  [[store, '--router-addr', 'node:5001'], /^--router-addr "node:5001": give an IP address/],
  [[store, '--metrics-addr', '::1'], /^--metrics-addr "::1": put the IPv6 address in brackets/],
  [[store, '--bootstrap-kind', 'mdns'], /^--bootstrap-kind "mdns": give none, dns, http or static$/],
  [[store, '--bootstrap-kind', 'dns'], /^--bootstrap-kind dns needs --dns-bootstrap-domain/],
  [[store, '--bootstrap-kind', 'http'], /^--bootstrap-kind http needs --http-bootstrap-peer/],
  [[store, '--bootstrap-kind', 'static'], /^--bootstrap-kind static needs --static-bootstrap-peers/],
  [
    [store, '--static-bootstrap-peers', '/ip4/10.0.0.7/tcp/5001', '10.0.0.8:5001'],
    /^--static-bootstrap-peers "10\.0\.0\.8:5001": give a multiaddr/,
  ],
  [
    [store, '--mirrored-registries', 'docker.io/library'],
    /^--mirrored-registries "docker\.io\/library": give host\[:port\]/,
  ],
  [[store, '--mirrored-registries', 'docker.io,ghcr.io'], /separated by spaces$/],
  [[store, '--registry-filters', 'a('], /^--registry-filters "a\(": missing closing \); give an RE2 pattern/],
  [[store, '--registry-filters', 'a', '(?=b)'], /^--registry-filters "\(\?=b\)": .*RE2 pattern/],
  [[store, '--mirror-resolve-timeout', '20'], /^--mirror-resolve-timeout "20": give a duration with units/],
  [[store, '--mirror-resolve-timeout', '0'], /^--mirror-resolve-timeout "0": give more than 0/],
  [[store, '--mirror-resolve-retries', '0'], /^--mirror-resolve-retries "0": give a whole number from 1/],
  [[store, '--tag-max-age', '1d'], /^--tag-max-age "1d": give a duration/],
  [[store, '--blob-verification', 'on'], /^--blob-verification "on": give off, suspect or always$/],
  [[store, '--log-level', 'trace'], /^--log-level "trace": give DEBUG, INFO, WARN or ERROR$/],
  [[store, '--request-log=maybe'], /^--request-log "maybe": give true or false$/],
  [[store, '--zone', 'a/b'], /^--zone "a\/b": give a label value/],
];
for (const [argv, says] of wrong) {
  test(`options: ${argv.slice(argv[0] === store ? 1 : 0).join(' ')} is refused in one sentence`, () => {
    assert.throws(
      () => parseRegistryOptions(argv, {}),
      (error) => {
        assert.ok(error instanceof PeiliError);
        assert.equal(error.code, 'OPTION_INVALID');
        assert.match(error.message, says);
        assert.doesNotMatch(error.message, /\n/);
        return true;
      },
    );
  });
}

test('options: without a store it is the containerd of a Kubernetes node; what only containerd has is idle with another', () => {
  assert.deepEqual(parseRegistryOptions([], {}).store, containerd({}));
  assert.deepEqual(parseRegistryOptions([store, '--containerd-content-path=/content'], {}).warnings, [
    '--containerd-content-path has no effect with --store oci-layout:; --store containerd would use it',
  ]);
});

test('options: a variable is named as the culprit', () => {
  assert.throws(
    () => parseRegistryOptions([store], { LOG_LEVEL: 'loud' }),
    /^PeiliError: --log-level \(from LOG_LEVEL\) "loud": give DEBUG, INFO, WARN or ERROR$/,
  );
  assert.throws(
    () => parseRegistryOptions([store], { REGISTRY_FILTERS: '"a' }),
    /^PeiliError: REGISTRY_FILTERS .*double quotes/,
  );
});

test('options: with containerd a canary is pulled every hour, or as often as is said, or never', () => {
  const canary = (...argv: string[]) => parseRegistryOptions(argv, {}).canary;
  const socket = '/run/containerd/containerd.sock';
  assert.deepEqual(canary(), { socket, intervalUs: 3_600_000_000 });
  assert.equal(
    canary('--containerd-sock', '/run/k3s/containerd/containerd.sock')?.socket,
    '/run/k3s/containerd/containerd.sock',
  );
  assert.equal(canary('--canary-interval', '90s')?.intervalUs, 90_000_000);
  assert.equal(canary('--canary-interval', '0'), undefined);
  assert.equal(canary('--store', 'oci-layout:/srv'), undefined, 'no containerd, nothing to prove');
});
