import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { PeiliError } from '../errors.ts';
import type { ContentInfo } from '../ports/index.ts';
import { parseRequest } from '../requests/parse-request.ts';
import { createRegistryFilter } from './registry-filter.ts';
import type { RegistryFilter, RegistryFilterOptions } from './registry-filter.ts';
import { parseRegistryEntry } from './registry-list.ts';

const digest = `sha256:${'0123456789abcdef'.repeat(4)}`;

/** `registry/repository:tag` as a request for the tag; `@m` for a manifest by digest, `@b` for a blob; without registry: no ns. */
function decide(filter: RegistryFilter, text: string): string {
  const [name = '', kind] = text.split('@');
  const slash = name.indexOf('/');
  const registry = name.slice(0, slash);
  const [repository = '', tag] = name.slice(slash + 1).split(':');
  const path = kind === 'b' ? `blobs/${digest}` : `manifests/${tag ?? digest}`;
  return filter.decide(
    parseRequest({
      method: 'GET',
      target: `/v2/${repository}/${path}${registry === '' ? '' : `?ns=${registry}`}`,
      headers: {},
    }),
  );
}

function checkTable(
  options: RegistryFilterOptions,
  table: { readonly serve: readonly string[]; readonly filtered: readonly string[] },
): void {
  const filter = createRegistryFilter(options);
  for (const text of table.serve) assert.equal(decide(filter, text), 'serve', text);
  for (const text of table.filtered) assert.equal(decide(filter, text), 'filtered', text);
}

const devAndLatest = { registryFilters: ['^docker\\.io/.+:dev$', ':latest$'] };

test("filter: the two documented patterns keep out docker.io's dev and every latest, and nothing else", () => {
  checkTable(devAndLatest, {
    serve: [
      'docker.io/library/busybox:1.37.0',
      'docker.io/library/busybox:dev2',
      'docker.io/library/busybox:a-dev',
      'docker.io/library/dev:1',
      'docker.io/dev:v1',
      'ghcr.io/a/b:dev',
      'docker.io:5000/a:dev',
      'dockerxio/a:dev',
      'mirror.docker.io/a:dev',
      'ghcr.io/a/latest:v1',
      'ghcr.io/a/b:latest-1',
      'ghcr.io/a/b:notlatest',
      'docker.io/library/busybox@m',
      'docker.io/library/busybox@b',
      'docker.io/library/latest@m',
      'docker.io/library/dev@b',
    ],
    filtered: [
      'docker.io/library/busybox:dev',
      'docker.io/a:dev',
      'docker.io/a/b/c:dev',
      'docker.io/library/busybox:latest',
      'ghcr.io/a/b:latest',
      'localhost:5000/a:latest',
      '/library/busybox@m',
      '/library/busybox@b',
    ],
  });
});

test('filter: without options everything is served, a digest without ns too', () => {
  checkTable({}, { serve: ['docker.io/a:latest', 'ghcr.io/a@m', 'ghcr.io/a@b', '/a@m', '/a@b'], filtered: [] });
});

test("filter: a pattern is searched for, anchors are the operator's", () => {
  checkTable(
    { registryFilters: ['secret'] },
    {
      serve: ['r.io/public:1', 'r.io/public@b'],
      filtered: ['r.io/secret:1', 'r.io/x-secret@m', 'secret.io/a@b', 'r.io/a:secret1'],
    },
  );
  checkTable({ registryFilters: ['(?i)^R\\.IO/'] }, { serve: ['q.io/a:1'], filtered: ['r.io/a:1', 'R.io/a@b'] });
});

test('filter: with mirrored registries only those are served, whichever way they are written', () => {
  for (const mirroredRegistries of [
    ['https://docker.io', 'http://localhost:5000'],
    ['docker.io', 'localhost:5000'],
  ]) {
    checkTable(
      { mirroredRegistries },
      {
        serve: ['docker.io/a:latest', 'docker.io/a@m', 'docker.io/a@b', 'localhost:5000/a:1'],
        filtered: [
          'ghcr.io/a:1',
          'ghcr.io/a@m',
          'ghcr.io/a@b',
          'localhost/a:1',
          'localhost:5001/a@b',
          'docker.io:443/a:1',
          '/a@m',
          '/a@b',
        ],
      },
    );
  }
  for (const wildcard of ['_default', '*']) {
    checkTable(
      { mirroredRegistries: ['https://docker.io', wildcard] },
      { serve: ['ghcr.io/a:1', '/a@b', '/a@m'], filtered: [] },
    );
  }
});

test('filter: a blobs-only registry keeps its blobs and loses tags and manifests', () => {
  checkTable(
    { blobsOnlyRegistries: ['https://private.io'] },
    {
      serve: ['private.io/a@b', 'docker.io/a:1', 'docker.io/a@m', '/a@b'],
      filtered: ['private.io/a:1', 'private.io/a@m', '/a@m'],
    },
  );
  checkTable(
    { blobsOnlyRegistries: ['*'] },
    { serve: ['docker.io/a@b', '/a@b'], filtered: ['docker.io/a:1', 'docker.io/a@m', '/a@m'] },
  );
  checkTable(
    { blobsOnlyRegistries: ['private.io'], registryFilters: ['/b$'] },
    { serve: ['private.io/a@b'], filtered: ['private.io/b@b', 'private.io/a@m', '/a@b'] },
  );
});

test('filter: a ping is always served', () => {
  const filter = createRegistryFilter({
    registryFilters: ['.*'],
    mirroredRegistries: ['docker.io'],
    blobsOnlyRegistries: ['*'],
  });
  assert.equal(filter.decide(parseRequest({ method: 'GET', target: '/v2/', headers: {} })), 'serve');
});

test('filter: resolveLatestTag false is :latest$, and warns', () => {
  const filter = createRegistryFilter({ resolveLatestTag: false });
  assert.equal(decide(filter, 'r.io/a:latest'), 'filtered');
  assert.equal(decide(filter, 'r.io/a:1'), 'serve');
  assert.match(filter.warnings.join(), /:latest\$/);
  assert.deepEqual(createRegistryFilter({ resolveLatestTag: true }).warnings, []);
});

function content(...names: string[]): ContentInfo {
  return { digest, sizeBytes: 1, names };
}

test('advertising: content with one allowed name is advertised, without a name only while no filter is set', () => {
  const open = createRegistryFilter();
  const filtered = createRegistryFilter(devAndLatest);
  for (const isManifest of [true, false]) {
    assert.equal(open.allowsAdvertising(content(), isManifest), true);
    assert.equal(open.allowsAdvertising(content('not a name'), isManifest), true);
    assert.equal(filtered.allowsAdvertising(content(), isManifest), false);
    assert.equal(filtered.allowsAdvertising(content('not a name'), isManifest), false);
    assert.equal(filtered.allowsAdvertising(content('docker.io/a:dev'), isManifest), false);
    assert.equal(filtered.allowsAdvertising(content('docker.io/a:dev', 'docker.io/a'), isManifest), true);
    assert.equal(filtered.allowsAdvertising(content('docker.io/a:dev', 'ghcr.io/a:dev'), isManifest), true);
    assert.equal(filtered.allowsAdvertising(content(`docker.io/a:dev@${digest}`), isManifest), false);
  }
  const listed = createRegistryFilter({ mirroredRegistries: ['docker.io'] });
  assert.equal(listed.allowsAdvertising(content('ghcr.io/a'), false), false);
  assert.equal(listed.allowsAdvertising(content('ghcr.io/a', 'docker.io/b'), false), true);
  assert.equal(listed.allowsAdvertising(content(), false), false);
});

test('advertising: a blobs-only registry advertises blobs, neither tags nor manifests', () => {
  const filter = createRegistryFilter({ blobsOnlyRegistries: ['private.io'] });
  assert.equal(filter.allowsAdvertising(content('private.io/a:1'), false), true);
  assert.equal(filter.allowsAdvertising(content('private.io/a:1'), true), false);
  assert.equal(filter.allowsAdvertising(content('private.io/a:1', 'docker.io/a:1'), true), true);
  assert.equal(filter.allowsAdvertising(content(), false), true);
  assert.equal(filter.allowsAdvertising(content(), true), false);
  assert.equal(filter.allowsTag('private.io/a:1'), false);
  assert.equal(filter.allowsTag('docker.io/a:1'), true);
});

test('advertising: tags pass the filters by their own name', () => {
  const filter = createRegistryFilter(devAndLatest);
  for (const tag of ['docker.io/a:1', 'ghcr.io/a:dev']) assert.equal(filter.allowsTag(tag), true, tag);
  for (const tag of ['docker.io/a:dev', 'ghcr.io/a:latest', 'docker.io/a', 'a:1', '', 'docker.io/A:1'])
    assert.equal(filter.allowsTag(tag), false, tag);
});

test('filter: what is advertised under a name is what a request of that name is served', () => {
  const host = fc.constantFrom('docker.io', 'ghcr.io', 'private.io', 'localhost:5000');
  const repository = fc.constantFrom('a', 'library/busybox', 'dev');
  const tag = fc.constantFrom('dev', 'latest', '1');
  const some = (...values: string[]): fc.Arbitrary<string[]> => fc.subarray(values);
  const options = fc.record({
    registryFilters: some('^docker\\.io/.+:dev$', ':latest$', 'busybox'),
    mirroredRegistries: some('docker.io', 'https://private.io', '_default'),
    blobsOnlyRegistries: some('private.io', 'ghcr.io'),
  });
  fc.assert(
    fc.property(options, host, repository, tag, (chosen, registry, repo, version) => {
      const filter = createRegistryFilter(chosen);
      const name = `${registry}/${repo}`;
      const serves = (text: string): boolean => decide(filter, text) === 'serve';
      assert.equal(filter.allowsTag(`${name}:${version}`), serves(`${name}:${version}`));
      assert.equal(filter.allowsAdvertising(content(name), true), serves(`${name}@m`));
      assert.equal(filter.allowsAdvertising(content(name), false), serves(`${name}@b`));
    }),
  );
});

test("filter: a bad pattern is named with its fault and the fault's place", () => {
  const table: [string, number, RegExp][] = [
    ['a[z-b]', 2, /invalid character class range/],
    ['ab(?=c)', 2, /Perl syntax/],
    ['(a)\\1', 3, /invalid escape/],
    ['*a', 0, /repetition operator/],
    ['(a', 0, /missing closing/],
    ['a\\', 2, /trailing backslash/],
    ['a{2001}', 1, /invalid repeat count/],
    ['', 0, /everything/],
  ];
  for (const [pattern, position, reason] of table) {
    assert.throws(
      () => createRegistryFilter({ registryFilters: [':latest$', pattern] }),
      (error) => {
        assert.ok(error instanceof PeiliError && error.code === 'FILTER_INVALID');
        assert.equal(error.details['pattern'], pattern);
        assert.match(error.message, reason);
        if (pattern !== '') assert.equal(error.details['position'], position, pattern);
        return true;
      },
    );
  }
});

test('filter: any text as a pattern is compiled or refused with our error', () => {
  fc.assert(
    fc.property(
      fc.oneof(fc.string({ unit: 'binary' }), fc.stringMatching(/^[()[\]{}*+?|\\^$.a0-9:,<>=!P-]{0,12}$/)),
      (pattern) => {
        try {
          decide(createRegistryFilter({ registryFilters: [pattern] }), 'docker.io/a:1');
        } catch (error) {
          assert.ok(error instanceof PeiliError, String(error));
        }
      },
    ),
    { numRuns: 500 },
  );
});

test('filter: a hostile pattern takes linear time', () => {
  const name = `docker.io/${'a'.repeat(245)}`;
  for (const pattern of [
    '(a+)+$',
    '(a|a)*b',
    '(a|aa)+:x$',
    '(.*)*:$',
    '^(([a-z/.])+.)+[A-Z]([a-z])+$',
    '(?:a?){200}a{200}$',
  ]) {
    const filter = createRegistryFilter({ registryFilters: [pattern] });
    const startedAt = performance.now();
    for (let run = 0; run < 100; run += 1) filter.allowsTag(`${name}:${'a'.repeat(128)}`);
    const perNameMs = (performance.now() - startedAt) / 100;
    assert.ok(perNameMs < 10, `${pattern}: ${perNameMs} ms`);
  }
});

test('registry list: a scheme is optional, a path, a user or a query is refused', () => {
  assert.deepEqual(parseRegistryEntry('docker.io'), { type: 'registry', scheme: 'https', registry: 'docker.io' });
  assert.deepEqual(parseRegistryEntry('https://docker.io'), {
    type: 'registry',
    scheme: 'https',
    registry: 'docker.io',
  });
  assert.deepEqual(parseRegistryEntry('http://[::1]:5000'), {
    type: 'registry',
    scheme: 'http',
    registry: '[::1]:5000',
  });
  assert.deepEqual(parseRegistryEntry('_default'), { type: 'wildcard' });
  for (const text of [
    '',
    'ftp://docker.io',
    'https://',
    'https://docker.io/',
    'docker.io/library',
    'https://me@docker.io',
    'docker.io?x',
    'https://http://a',
  ]) {
    assert.throws(
      () => parseRegistryEntry(text),
      (error) => error instanceof PeiliError && error.code === 'OPTION_INVALID',
      text,
    );
  }
  assert.throws(() => createRegistryFilter({ mirroredRegistries: ['a/b'] }), /no registry/);
  assert.throws(() => createRegistryFilter({ blobsOnlyRegistries: ['a/b'] }), /no registry/);
});

test('filter: the reserved registry of the canary is neither given to mirrors nor advertised, whatever the options', () => {
  const digest = `sha256:${'0123456789abcdef'.repeat(4)}`;
  const name = 'canary.peili.internal/amd64/n0nce0001';
  const content = (names: readonly string[]) => ({ digest, sizeBytes: 1, names });
  for (const options of [
    {},
    { mirroredRegistries: ['canary.peili.internal'] },
    { blobsOnlyRegistries: ['docker.io'] },
  ]) {
    const filter = createRegistryFilter(options);
    const target = `/v2/amd64/n0nce0001/blobs/${digest}?ns=canary.peili.internal`;
    const request = parseRequest({ method: 'GET', target, headers: { 'x-spegel-mirrored': 'true' } });
    assert.equal(filter.decide(request), 'filtered');
    assert.equal(filter.allowsAdvertising(content([name]), true), false);
    assert.equal(filter.allowsAdvertising(content([name]), false), false);
    assert.equal(filter.allowsTag(`${name}:latest`), false);
  }
  const shared = content([name, 'docker.io/library/app:1.0']);
  assert.equal(createRegistryFilter().allowsAdvertising(shared, false), true, 'an allowed name is enough');
});
