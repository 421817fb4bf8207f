import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readVerifyOptions } from './verify-flags.ts';
import { parseImageName } from './verify/pull-image.ts';

test('verify options: the variables of a mirror say where its registry and its metrics are', () => {
  const { metricsUrl, registryUrl, socket } = readVerifyOptions(
    {},
    { REGISTRY_ADDR: ':5010', METRICS_ADDR: '[::]:9091' },
  );
  assert.deepEqual([registryUrl, metricsUrl], ['http://127.0.0.1:5010', 'http://[::1]:9091']);
  assert.equal(socket, '/run/containerd/containerd.sock');
});

test('verify options: an address is one to ask: every address means this machine, a URL is taken as it is', () => {
  const url = (registryAddr: string): string => readVerifyOptions({ registryAddr }, {}).registryUrl;
  for (const [text, expected] of [
    ['0.0.0.0:5000', 'http://127.0.0.1:5000'],
    ['10.0.0.7:5000', 'http://10.0.0.7:5000'],
    ['[fd00::7]:5000', 'http://[fd00::7]:5000'],
    ['https://mirror.example/', 'https://mirror.example'],
    ['http://10.0.0.7:30020', 'http://10.0.0.7:30020'],
  ] as const) {
    assert.equal(url(text), expected);
  }
  for (const text of ['5000', 'http://a/v2/', 'http://u:p@a', 'host']) {
    assert.throws(() => url(text), { code: 'OPTION_INVALID' }, text);
  }
});

test('verify options: an image is named as pods name it', () => {
  const named = (text: string) => {
    const { digest, registry, repository, tag } = parseImageName(text);
    return [registry, repository, tag, digest];
  };
  const digest = `sha256:${'0'.repeat(64)}`;
  assert.deepEqual(named('busybox'), ['docker.io', 'library/busybox', 'latest', undefined]);
  assert.deepEqual(named('team/app:1.0'), ['docker.io', 'team/app', '1.0', undefined]);
  assert.deepEqual(named('ghcr.io/team/app'), ['ghcr.io', 'team/app', 'latest', undefined]);
  assert.deepEqual(named('localhost/app:1'), ['localhost', 'app', '1', undefined]);
  assert.deepEqual(named(`r.example:5000/app@${digest}`), ['r.example:5000', 'app', undefined, digest]);
  assert.throws(() => readVerifyOptions({ image: 'UPPER' }, {}), {
    message: /^--image "UPPER": give an image as a pod names it/,
  });
});
