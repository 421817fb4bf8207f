import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { parseAllDocuments } from 'yaml';
import { parseRegistryOptions } from '../../cli/registry-options.ts';

// go install helm.sh/helm/v3/cmd/helm@latest
const hasHelm = spawnSync('helm', ['version', '--short']).status === 0;
const options = { skip: !hasHelm && 'helm is not on PATH: go install helm.sh/helm/v3/cmd/helm@latest' };

interface Container {
  readonly name: string;
  readonly args: readonly string[];
  readonly env: readonly { readonly name: string; readonly value?: string; readonly valueFrom?: object }[];
  readonly ports: readonly { readonly name: string; readonly hostPort?: number }[];
  readonly volumeMounts: readonly { readonly name: string; readonly mountPath: string; readonly readOnly?: boolean }[];
  readonly livenessProbe?: object;
  readonly securityContext: object;
}

interface Manifest {
  readonly kind: string;
  readonly metadata: {
    readonly name: string;
    readonly namespace?: string;
    readonly labels: Readonly<Record<string, string>>;
    readonly annotations?: Readonly<Record<string, string>>;
  };
  readonly data?: Readonly<Record<string, string>>;
  readonly spec: {
    readonly clusterIP?: string;
    readonly publishNotReadyAddresses?: boolean;
    readonly updateStrategy: object;
    readonly selector: { readonly matchLabels: Readonly<Record<string, string>> };
    readonly template: {
      readonly metadata: { readonly labels: Readonly<Record<string, string>> };
      readonly spec: {
        readonly affinity?: object;
        readonly initContainers?: readonly Container[];
        readonly containers: readonly Container[];
        readonly volumes: readonly { readonly name: string; readonly hostPath?: { readonly path: string } }[];
      };
    };
  };
}

function render(...settings: readonly string[]): readonly Manifest[] {
  const set = settings.flatMap((each) => [each.includes('={') || each.includes('=[') ? '--set-json' : '--set', each]);
  const args = ['template', 'peili', 'deploy/chart', '--namespace', 'mirrors', '--kube-version', '1.34.0', ...set];
  const text = execFileSync('helm', args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] });
  return parseAllDocuments(text).flatMap((document): Manifest[] => {
    assert.deepEqual(document.errors, []);
    const value = document.toJS() as Manifest | null;
    return value === null ? [] : [value];
  });
}

function refusal(...settings: readonly string[]): string {
  try {
    render(...settings);
  } catch (error) {
    return String((error as { stderr?: string }).stderr);
  }
  return assert.fail(`${settings.join(' ')} was taken`);
}

function named(manifests: readonly Manifest[], kind: string, name: string): Manifest {
  const found = manifests.find((each) => each.kind === kind && each.metadata.name === name);
  return found ?? assert.fail(`no ${kind} ${name}`);
}

const mirrorOf = (manifests: readonly Manifest[], name = 'peili'): Container => {
  const [container] = named(manifests, 'DaemonSet', name).spec.template.spec.containers;
  return container ?? assert.fail('no container');
};

/** What the program understands of what the chart tells it. */
const optionsOf = ({ args, env }: Container): ReturnType<typeof parseRegistryOptions> =>
  parseRegistryOptions(args.slice(1), Object.fromEntries(env.map(({ name, value }) => [name, value])));

test('chart: with its defaults the program starts as meant', options, () => {
  const container = mirrorOf(render());
  assert.equal(container.args[0], 'registry');
  const told = optionsOf(container);
  assert.deepEqual(told.warnings, []);
  assert.deepEqual(told.bootstrap, { kind: 'dns', host: 'peili-bootstrap.mirrors.svc.cluster.local.' });
  assert.deepEqual(told.modePaths, ['/etc/peili/mode']);
  assert.equal(told.dataDir, '/var/lib/peili');
  assert.equal(told.limits.attemptsMax, parseRegistryOptions([], {}).limits.attemptsMax);
});

test('chart: lists and texts of values arrive in the program as they are', options, () => {
  const filters = ['^docker\\.io/.+:dev$', 'a{1,2}', ' "quoted"'];
  const told = optionsOf(
    mirrorOf(
      render(
        `peili.registryFilters=${JSON.stringify(filters)}`,
        'peili.mirroredRegistries=["https://docker.io","http://localhost:5000"]',
        'peili.blobsOnlyRegistries=["ghcr.io"]',
        'peili.tagMaxAge=24h',
        'peili.mirrorResolveTimeout=20ms',
        'peili.zone=eu-1a',
      ),
    ),
  );
  assert.deepEqual(told.filter.registryFilters, filters);
  assert.deepEqual(told.filter.mirroredRegistries, ['https://docker.io', 'http://localhost:5000']);
  assert.deepEqual(told.filter.blobsOnlyRegistries, ['ghcr.io']);
  assert.deepEqual([told.tagMaxAgeUs, told.limits.lookupTimeoutUs, told.zone], [86_400_000_000, 20_000, 'eu-1a']);
});

test('chart: a pod is uid 0 and nothing more, and writes to what it has to alone', options, () => {
  for (const { kind, metadata, spec } of render()) {
    if (kind !== 'DaemonSet') continue;
    const { containers, initContainers = [], volumes } = spec.template.spec;
    for (const { env, securityContext, volumeMounts } of [...containers, ...initContainers]) {
      assert.deepEqual(securityContext, {
        runAsUser: 0,
        runAsGroup: 0,
        allowPrivilegeEscalation: false,
        readOnlyRootFilesystem: true,
        capabilities: { drop: ['ALL'] },
        seccompProfile: { type: 'RuntimeDefault' },
      });
      const writable = volumeMounts.filter(({ readOnly }) => readOnly !== true).map(({ mountPath }) => mountPath);
      const permitted = /NODE_OPTIONS/.test(JSON.stringify(env))
        ? [...(env.find(({ name }) => name === 'NODE_OPTIONS')?.value ?? '').matchAll(/--allow-fs-write=(\S+)/g)].map(
            ([, path]) => path,
          )
        : [];
      assert.deepEqual(writable, permitted, `${metadata.name}: what is mounted to be written and what Node may write`);
      for (const { name } of volumeMounts)
        assert.ok(
          volumes.some((volume) => volume.name === name),
          name,
        );
    }
  }
});

test('chart: the socket is mounted by its directory, and is found after a restart of containerd', options, () => {
  const manifests = render('peili.containerdSock=/run/k3s/containerd/containerd.sock');
  const { volumes } = named(manifests, 'DaemonSet', 'peili').spec.template.spec;
  assert.ok(volumes.some(({ hostPath }) => hostPath?.path === '/run/k3s/containerd'));
  assert.ok(mirrorOf(manifests).volumeMounts.some(({ mountPath }) => mountPath === '/run/k3s/containerd'));
});

test('chart: a tenth of the nodes is updated at once, and liveness is on', options, () => {
  const manifests = render();
  const { updateStrategy } = named(manifests, 'DaemonSet', 'peili').spec;
  assert.deepEqual(updateStrategy, { type: 'RollingUpdate', rollingUpdate: { maxUnavailable: '10%' } });
  assert.ok(mirrorOf(manifests).livenessProbe !== undefined);
  assert.equal(mirrorOf(render('livenessProbe.enabled=false')).livenessProbe, undefined);
});

test('chart: containerd is told of the host port, of a node port behind it, or of the node port alone', options, () => {
  const targets = (...settings: readonly string[]): readonly string[] => {
    const [init] = named(render(...settings), 'DaemonSet', 'peili').spec.template.spec.initContainers ?? [];
    return init?.args.filter((each) => /^https?:\/\/[^/]+$/.test(each)) ?? [];
  };
  const [hostPort, nodePort] = ['http://$(NODE_IP):30020', 'http://$(NODE_IP):30021'];
  assert.deepEqual(targets(), [hostPort]);
  assert.deepEqual(targets('service.registry.nodePort=30021'), [hostPort, nodePort]);
  const alone = ['service.registry.nodePort=30021', 'service.registry.usePreferSameNodeTrafficDistribution=true'];
  assert.deepEqual(targets(...alone), [nodePort]);
  assert.ok(mirrorOf(render(...alone)).ports.every(({ hostPort: port }) => port === undefined));
  assert.match(
    refusal('service.registry.usePreferSameNodeTrafficDistribution=true'),
    /give service\.registry\.nodePort/,
  );
});

test('chart: mirrors are found before they are ready, and selectors fit the pods', options, () => {
  const manifests = render('peili.serveOnlyNodeLabel=example.org/serve-only');
  const { spec } = named(manifests, 'Service', 'peili-bootstrap');
  assert.deepEqual([spec.clusterIP, spec.publishNotReadyAddresses], ['None', true]);
  const selector = Object.entries(spec.selector);
  for (const name of ['peili', 'peili-serve-only']) {
    const { labels } = named(manifests, 'DaemonSet', name).spec.template.metadata;
    for (const [key, value] of selector) assert.equal(labels[key], value, `${name}: ${key}`);
  }
  const [all, labelled] = ['peili', 'peili-serve-only'].map((name) => named(manifests, 'DaemonSet', name).spec);
  assert.notDeepEqual(
    all?.selector.matchLabels,
    labelled?.selector.matchLabels,
    'one does not take the pods of the other',
  );
});

test('chart: the switch is a word of a ConfigMap, also for who writes off without quotes', options, () => {
  const modeOf = (...settings: readonly string[]): string | undefined =>
    named(render(...settings), 'ConfigMap', 'peili-mode').data?.['mode'];
  assert.equal(modeOf(), 'on');
  assert.equal(modeOf('peili.mode=off'), 'off');
  assert.equal(modeOf('peili.mode=false'), 'off');
  assert.equal(modeOf('peili.mode=serve-only'), 'serve-only');
});

test('chart: nodes with the label only serve, and each node has one mirror', options, () => {
  const manifests = render('peili.serveOnlyNodeLabel=example.org/serve-only');
  const operators = ['peili', 'peili-serve-only'].map((name) => {
    const text = JSON.stringify(named(manifests, 'DaemonSet', name).spec.template.spec.affinity);
    return /"operator":"(\w+)"/.exec(text)?.[1];
  });
  assert.deepEqual(operators, ['NotIn', 'In']);
  const data = named(manifests, 'ConfigMap', 'peili-mode').data ?? {};
  const words = optionsOf(mirrorOf(manifests, 'peili-serve-only')).modePaths.map(
    (path) => data[path.replace('/etc/peili/', '')],
  );
  assert.deepEqual(words, ['on', 'serve-only']);
});

test('chart: what is uninstalled is taken back on every node that had it', options, () => {
  const manifests = render('nodeSelector={"pool":"a"}', 'peili.containerdRegistryConfigPath=/certs');
  const [mirror, cleanup] = ['peili', 'peili-cleanup'].map((name) => named(manifests, 'DaemonSet', name));
  assert.equal(cleanup?.metadata.annotations?.['helm.sh/hook'], 'post-delete');
  const placed = (manifest: Manifest | undefined): unknown => {
    const { nodeSelector, tolerations } = (manifest?.spec.template.spec ?? {}) as {
      nodeSelector?: unknown;
      tolerations?: unknown;
    };
    return { nodeSelector, tolerations };
  };
  assert.deepEqual(placed(cleanup), placed(mirror));
  assert.ok(mirrorOf(manifests, 'peili-cleanup').args.includes('--containerd-registry-config-path=/certs'));
  named(manifests, 'Pod', 'peili-cleanup-wait');
  const untouched = render('peili.containerdMirrorAdd=false');
  assert.equal(
    untouched.some(({ metadata }) => metadata.name.includes('cleanup')),
    false,
  );
  assert.equal(named(untouched, 'DaemonSet', 'peili').spec.template.spec.initContainers, undefined);
});

test('chart: misspelt names and impossible values are refused', options, () => {
  assert.match(refusal('peili.logLevl=INFO'), /logLevl/);
  assert.match(refusal('peili.blobVerification=never'), /blobVerification/);
  assert.match(refusal('service.registry.hostPort=99999'), /hostPort/);
  assert.match(refusal('peili.tagMaxAge=10min'), /tagMaxAge/);
});

test('chart: everything it can render, at once', options, () => {
  const manifests = render(
    'networkPolicy.enabled=true',
    'serviceMonitor.enabled=true',
    'prometheusRule.enabled=true',
    'grafanaDashboard.enabled=true',
    'basicAuthSecretName=mirrors',
    'peili.serveOnlyNodeLabel=example.org/serve-only',
  );
  const kinds = ['NetworkPolicy', 'ServiceMonitor', 'PrometheusRule'];
  for (const kind of kinds) named(manifests, kind, 'peili');
  JSON.parse(named(manifests, 'ConfigMap', 'peili-dashboard').data?.['peili.json'] ?? '');
  assert.match(JSON.stringify(named(manifests, 'PrometheusRule', 'peili')), /runbooks\/not-used\.md/);
  for (const { metadata } of manifests) assert.equal(metadata.namespace, 'mirrors', metadata.name);
});

test('chart: the plain manifests are what it renders', options, () => {
  const told = 'template peili deploy/chart --namespace peili --kube-version 1.34.0 --no-hooks';
  const rendered = execFileSync('helm', told.split(' '), { encoding: 'utf8' });
  assert.equal(
    readFileSync('deploy/manifests/peili.yaml', 'utf8'),
    rendered,
    `helm ${told} > deploy/manifests/peili.yaml`,
  );
});
