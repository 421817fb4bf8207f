import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { authorizationOf, createCredentialsCheck } from './basic-auth.ts';
import { answerWith, bodyOf, borrowedBody, get, rawClient, serve } from './testing/loopback.ts';

const basicAuth = { username: 'peili', password: 'pass:wörd' };
const right = authorizationOf(basicAuth);
const content = Buffer.from('content');

function answering() {
  return serve(() => answerWith(borrowedBody(content, 100), content.byteLength), {}, { basicAuth });
}

async function answerTo(port: number, request: string): Promise<string> {
  const client = rawClient(port, request.replace('\r\n\r\n', '\r\nconnection: close\r\n\r\n'));
  await client.ended();
  return client.received();
}

test('basic auth: any credentials are known by the field that is made of them, and by no other', () => {
  const text = fc.string({ unit: 'grapheme' });
  const name = text.map((some) => some.replaceAll(':', ''));
  const credentials = fc.record({ username: name, password: text });
  fc.assert(
    fc.property(credentials, credentials, (own, other) => {
      const isRight = createCredentialsCheck(own);
      const isSame = own.username === other.username && own.password === other.password;
      return isRight(authorizationOf(own)) && isRight(authorizationOf(other)) === isSame;
    }),
  );
});

test('basic auth: no field is a reason to fail, and none but the right one is right', () => {
  const isRight = createCredentialsCheck(basicAuth);
  const [scheme = '', token = ''] = right.split(' ');
  assert.ok(isRight(right) && isRight(`bAsIc  ${token}`));
  const wrong = [
    '',
    'Basic',
    'Basic ',
    token,
    `Bearer ${token}`,
    `${right}, ${right}`,
    `${scheme}${token}`,
    `${right} x`,
  ];
  for (const field of [undefined, ...wrong, `Basic ${token.slice(0, -4)}`, 'Basic \0', 'Basic ='.repeat(1000)]) {
    assert.equal(isRight(field), false, String(field));
  }
  fc.assert(fc.property(fc.string({ unit: 'grapheme', maxLength: 200 }), (field) => !isRight(field)));
});

test('basic auth: an empty password is one, and is not the absence of any', () => {
  const isRight = createCredentialsCheck({ username: '', password: 'x' });
  assert.deepEqual([isRight(undefined), isRight('Basic '), isRight('Basic Ong=')], [false, false, true]);
});

test('basic auth: who does not know it gets 401 with a challenge and the OCI code, and reaches nothing', async () => {
  const { port, requests, events } = await answering();
  for (const field of [[], ['authorization: Basic eA=='], ['authorization: Basic %%%'], [`authorization: ${right}x`]]) {
    for (const target of ['/v2/', '/v2/a/blobs/sha256:00', '/elsewhere']) {
      const received = await answerTo(port, get(target, ...field));
      assert.match(received, /^HTTP\/1\.1 401 /);
      assert.match(received, /\r\nwww-authenticate: Basic realm="peili"/);
      const { errors } = JSON.parse(bodyOf(received)) as { errors: { code: string }[] };
      assert.equal(errors[0]?.code, 'UNAUTHORIZED');
    }
  }
  assert.deepEqual(requests, []);
  assert.deepEqual(events[0], { type: 'unauthorized', mirrored: false });
});

test('basic auth: containerd is not challenged, since it would answer with the secret of the registry', async () => {
  const { port } = await answering();
  const received = await answerTo(port, get('/v2/a/manifests/1?ns=docker.io'));
  assert.match(received, /^HTTP\/1\.1 401 /);
  assert.doesNotMatch(received, /www-authenticate/i);
});

test('basic auth: who knows it is answered', async () => {
  const { port, requests } = await answering();
  const received = await answerTo(port, get('/v2/a/blobs/x', `Authorization: ${right}`));
  assert.equal(bodyOf(received), 'content');
  assert.equal(requests.length, 1);
});

test('basic auth: a second field beside the right one is not the right one', async () => {
  const { port } = await answering();
  const received = await answerTo(port, get('/v2/', `Authorization: ${right}`, 'authorization: Basic eA=='));
  assert.match(received, /^HTTP\/1\.1 401 /);
});

test('basic auth: probes need none', async () => {
  const { port } = await answering();
  assert.match(await answerTo(port, get('/livez')), /^HTTP\/1\.1 200 /);
  assert.match(await answerTo(port, get('/readyz')), /^HTTP\/1\.1 503 .*no members yet/s);
});
