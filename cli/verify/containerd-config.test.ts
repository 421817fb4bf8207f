import assert from 'node:assert/strict';
import { matchesGlob } from 'node:path';
import { test } from 'node:test';
import { configOfStatus, parseVersion, readContainerdConfig } from './containerd-config.ts';
import type { ConfigFiles, ContainerdConfig } from './containerd-config.ts';
import { judgeConfigPath, judgeLayers } from './judge-config.ts';
import { distributionConfigs } from './testing/containerd-configs.ts';

function filesOf(texts: Readonly<Record<string, string>>): ConfigFiles {
  return {
    read: (path) => {
      const text = texts[path];
      return text === undefined ? Promise.reject(new Error(`ENOENT: ${path}`)) : Promise.resolve(text);
    },
    glob: (pattern) =>
      Promise.resolve(
        Object.keys(texts)
          .filter((path) => matchesGlob(path, pattern))
          .sort(),
      ),
  };
}

function read(version: string, texts: Readonly<Record<string, string>>): Promise<ContainerdConfig> {
  return readContainerdConfig(filesOf(texts), Object.keys(texts)[0] ?? '', parseVersion(version));
}

const v3 = "[plugins.'io.containerd.cri.v1.images']";
const v2 = "[plugins.'io.containerd.grpc.v1.cri']";
const main = '/etc/containerd/config.toml';
const extra = '/etc/containerd/conf.d/extra.toml';

for (const { expected, files, name, path, registryConfigPath, version } of distributionConfigs) {
  test(`containerd configuration: ${name}`, async () => {
    const number = parseVersion(version);
    const config = await readContainerdConfig(filesOf(files), path, number);
    const context = { version: number, expected: { registryConfigPath }, canary: undefined };
    const reading = { type: 'read', value: config } as const;
    const layers = { type: 'read', value: { kept: 0, gone: 0 } } as const;
    const judged = {
      configPath: judgeConfigPath(reading, context),
      layers: judgeLayers(reading, layers, context),
    };
    assert.deepEqual(
      { configPath: judged.configPath.status, layers: judged.layers.status },
      expected,
      JSON.stringify(judged),
    );
    for (const { mend, status } of Object.values(judged)) assert.equal(mend !== undefined, status === 'wrong');
  });
}

// What follows was seen with `containerd config dump` of 2.1.9, and read in the sources of 1.7.
test('containerd configuration: 2.x merges the tables of imported files, 1.x replaces a plugin as a whole', async () => {
  const three = {
    [main]: `version = 3\nimports = ['conf.d/*.toml']\n${v3}\ndiscard_unpacked_layers = true\n[plugins.'io.containerd.cri.v1.images'.registry]\nconfig_path = '/a'`,
    [extra]: `version = 3\n${v3}\ndiscard_unpacked_layers = false`,
  };
  const merged = await read('2.1.9', three);
  assert.deepEqual([merged.files, merged.configPath, merged.discardsLayers], [[main, extra], '/a', false]);
  const two = {
    [main]: `version = 2\nimports = ['conf.d/*.toml']\n[plugins.'io.containerd.grpc.v1.cri'.registry]\nconfig_path = '/a'`,
    [extra]: `version = 2\n[plugins.'io.containerd.grpc.v1.cri'.containerd]\ndiscard_unpacked_layers = true`,
  };
  assert.deepEqual([(await read('1.7.28', two)).configPath, (await read('1.7.28', two)).discardsLayers], ['', true]);
});

test('containerd configuration: an empty value overrides', async () => {
  const { configPath } = await read('2.1.9', {
    [main]: `version = 3\nimports = ['${extra}']\n[plugins.'io.containerd.cri.v1.images'.registry]\nconfig_path = '/a'`,
    [extra]: "[plugins.'io.containerd.cri.v1.images'.registry]\nconfig_path = ''",
  });
  assert.equal(configPath, '');
});

test('containerd configuration: 2.x ignores the names of 1.x when the last file with a version has 3, and takes them over otherwise', async () => {
  const old = "[plugins.'io.containerd.grpc.v1.cri'.registry]\nconfig_path = '/old'";
  const modern = "[plugins.'io.containerd.cri.v1.images'.registry]\nconfig_path = '/new'";
  assert.equal((await read('2.1.9', { [main]: `version = 3\n${old}\n${modern}` })).configPath, '/new');
  assert.equal((await read('2.1.9', { [main]: `version = 2\n${old}\n${modern}` })).configPath, '/old');
  const both = { [main]: `version = 2\nimports = ['${extra}']\n${old}`, [extra]: `version = 3\n${modern}` };
  assert.equal((await read('2.1.9', both)).configPath, '/new');
});

test('containerd configuration: 2.x takes over whether layers are discarded only together with runtimes', async () => {
  const text = "version = 2\n[plugins.'io.containerd.grpc.v1.cri'.containerd]\ndiscard_unpacked_layers = true";
  assert.equal((await read('2.1.9', { [main]: text })).discardsLayers, false);
  const withRuntimes = `${text}\n[plugins.'io.containerd.grpc.v1.cri'.containerd.runtimes.runc]\nruntime_type = 'x'`;
  assert.equal((await read('2.1.9', { [main]: withRuntimes })).discardsLayers, true);
  assert.equal((await read('1.7.28', { [main]: text })).discardsLayers, true);
});

test('containerd configuration: files without a version have short names', async () => {
  const text = "[plugins.cri.registry]\nconfig_path = '/c'";
  for (const version of ['1.6.20', '2.1.9']) assert.equal((await read(version, { [main]: text })).configPath, '/c');
});

test('containerd configuration: what makes CRI of 2.1 pull by itself, and from when on it does not', async () => {
  const pulls = async (version: string, text: string): Promise<boolean> =>
    (await read(version, { [main]: `version = 3\n${v3}\n${text}` })).pullsByTransfer;
  assert.deepEqual([await pulls('2.0.5', ''), await pulls('2.1.0', ''), await pulls('2.2.0', '')], [false, true, true]);
  for (const text of [
    'use_local_image_pull = true',
    'discard_unpacked_layers = true',
    'disable_snapshot_annotations = false',
    'image_pull_with_sync_fs = true',
    'max_concurrent_downloads = 5',
    "registry.configs.'r.example'.auth.username = 'x'",
  ]) {
    assert.equal(await pulls('2.1.0', text), false, text);
  }
  assert.equal(await pulls('2.1.0', 'max_concurrent_downloads = 3'), true);
});

test('containerd configuration: circles and missing imports', async () => {
  const circle = await read('2.1.9', { [main]: `version = 3\nimports = ['${main}', 'config.toml']\n${v3}` });
  assert.deepEqual(circle.files, [main]);
  await assert.rejects(read('2.1.9', { [main]: "imports = ['absent.toml']" }), /ENOENT/);
  await assert.rejects(read('2.1.9', { [main]: 'version = \n' }), {
    code: 'OPTION_INVALID',
    message: /config\.toml is no TOML: line 1/,
  });
});

test('containerd configuration: 1.x says it of itself in the verbose status, 2.x says nothing of it', () => {
  const status = {
    containerd: { discardUnpackedLayers: true, snapshotter: 'overlayfs' },
    registry: { configPath: '/etc/containerd/certs.d', mirrors: null },
  };
  const config = configOfStatus(JSON.stringify(status));
  assert.deepEqual([config?.configPath, config?.discardsLayers, config?.files], ['/etc/containerd/certs.d', true, []]);
  for (const text of ['', '{}', 'null', '{"registry":{},"containerd":{}}'])
    assert.equal(configOfStatus(text), undefined);
});

test('containerd configuration: mirrors in the file itself are named', async () => {
  const { inlineMirrors } = await read('1.7.28', {
    [main]: `version = 2\n${v2}\nregistry.mirrors.'docker.io'.endpoint = ['https://m.example']`,
  });
  assert.deepEqual(inlineMirrors, ['docker.io']);
});

test('containerd version: as distributions write it', () => {
  for (const [text, major, minor] of [
    ['2.1.9+unknown', 2, 1],
    ['v1.7.28', 1, 7],
    ['1.6.20~ds1', 1, 6],
    ['v2.0.5-k3s2', 2, 0],
  ] as const) {
    assert.deepEqual(parseVersion(text), { major, minor });
  }
  assert.equal(parseVersion('unknown'), undefined);
});
