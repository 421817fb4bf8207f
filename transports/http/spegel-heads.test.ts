import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createTestNode } from '../../core/testing/test-node.ts';
import { manifestOf, testBlob } from '../../core/testing/blob.ts';
import { bodyOf, memberAt, rawClient, scriptedPeer, serve, until } from './testing/loopback.ts';
import { readAll, setUpClient } from './testing/peer-client-setup.ts';
import { spegelHeads } from './testing/spegel-heads.ts';

const registry = 'up.test';
const repository = 'demo/img1';
const mediaType = 'application/vnd.oci.image.manifest.v1+json';
const layerType = 'application/vnd.oci.image.layer.v1.tar';
const blob = testBlob(4000);
const manifest = manifestOf({
  schemaVersion: 2,
  mediaType,
  config: { mediaType: 'application/vnd.oci.image.config.v1+json', digest: blob.digest, size: blob.sizeBytes },
  layers: [{ mediaType: layerType, digest: blob.digest, size: blob.sizeBytes }],
});

/** A node of ours that holds one image, and speaks HTTP. */
async function holder(context: {
  after: (end: () => unknown) => void;
}): Promise<{ port: number; lookups: readonly string[] }> {
  const node = createTestNode();
  node.store.add(manifest, { mediaType });
  node.store.add(blob, { mediaType: layerType });
  node.store.tag(`${registry}/${repository}:1`, manifest.digest, 0);
  const { server, port } = await serve((input, signal) => node.answer(input, signal));
  context.after(() => server.kill());
  return { port, lookups: node.lookup.keys };
}

/** The fields of a head, in lower case. */
function fieldsOf(received: string): ReadonlyMap<string, string> {
  const [head = ''] = received.split('\r\n\r\n');
  return new Map(
    head
      .split('\r\n')
      .slice(1)
      .map((line) => [line.slice(0, line.indexOf(':')).toLowerCase(), line.slice(line.indexOf(':') + 1).trim()]),
  );
}

/** One request on a connection of its own; the other side of the connection stays open, as Go's client leaves it. */
async function answerOf(port: number, text: string, bodyBytes: number): Promise<string> {
  const client = rawClient(port, text);
  await client.sees('\r\n\r\n');
  await until(() => bodyOf(client.received()).length >= bodyBytes, 'the body');
  client.socket.destroy();
  return client.received();
}

for (const { version, asks, says } of spegelHeads) {
  test(`spegel ${version}: what it asks for as it asks is answered with length, digest and type, neither compressed nor in chunks`, async (context) => {
    const { port } = await holder(context);
    const named = { registry, repository };
    const whole = Buffer.from(blob.bytes).toString('latin1');
    const text = Buffer.from(manifest.bytes).toString('latin1');
    const cases = [
      { ask: asks.tag({ ...named, reference: '1' }), status: 200, content: manifest, type: mediaType, body: '' },
      {
        ask: asks.manifest({ ...named, reference: manifest.digest }),
        status: 200,
        content: manifest,
        type: mediaType,
        body: text,
      },
      ...asks.blob({ ...named, reference: blob.digest }).map((ask) => {
        return { ask, status: 200, content: blob, type: layerType, body: ask.startsWith('HEAD') ? '' : whole };
      }),
      {
        ask: asks.range({ ...named, reference: blob.digest }, 'bytes=100-199'),
        status: 206,
        content: blob,
        type: layerType,
        body: whole.slice(100, 200),
      },
    ];
    for (const { ask, status, content, type, body } of cases) {
      const received = await answerOf(port, ask, body.length);
      const fields = fieldsOf(received);
      assert.match(received, new RegExp(`^HTTP/1.1 ${String(status)} `), ask);
      assert.equal(bodyOf(received), body);
      assert.deepEqual(
        ['docker-content-digest', 'content-type', 'oci-namespace'].map((field) => fields.get(field)),
        [content.digest, type, registry],
      );
      assert.equal(fields.get('content-length'), String(status === 206 ? 100 : content.sizeBytes));
      assert.equal(fields.get('content-range'), status === 206 ? 'bytes 100-199/4000' : undefined);
      assert.deepEqual([fields.has('content-encoding'), fields.has('transfer-encoding')], [false, false]);
    }
  });

  test(`spegel ${version}: what is not here is 404 at once, and nobody else is asked`, async (context) => {
    const { port, lookups } = await holder(context);
    const absent = testBlob(10, 2).digest;
    const asked = [
      asks.manifest({ registry, repository, reference: absent }),
      ...asks.blob({ registry, repository, reference: absent }),
    ];
    for (const ask of asked) assert.match(await answerOf(port, ask, 0), /^HTTP\/1\.1 404 /);
    assert.deepEqual(lookups, []);
  });

  test(`spegel ${version}: its answers are read to the byte, one after the other on one connection`, async () => {
    const part = blob.bytes.subarray(0, 579);
    const manifestText = Buffer.from(manifest.bytes);
    const described = { mediaType, registry };
    const absent = testBlob(10, 2).digest;
    const answers = [
      [says.manifest({ ...described, ...manifest }), manifestText],
      [says.part({ ...described, digest: blob.digest, sizeBytes: part.byteLength }, 'bytes 0-578/4000'), part],
      [says.absent(absent), ''],
    ] as const;
    const peer = await scriptedPeer((socket, _head, nth) => {
      const [head, body] = answers[nth - 1] ?? ['', ''];
      socket.write(Buffer.concat([Buffer.from(head), Buffer.from(body)]));
    });
    const { get, end } = setUpClient();
    const found = await get(memberAt(peer.port));
    assert.deepEqual(
      [found.status, found.headers['content-type'], found.headers['docker-content-digest']],
      [200, mediaType, manifest.digest],
    );
    assert.deepEqual(await readAll(found.body), manifestText);
    const window = await get(memberAt(peer.port));
    assert.deepEqual(
      [window.status, window.headers['content-range'], window.headers['docker-content-digest']],
      [206, 'bytes 0-578/4000', blob.digest],
    );
    assert.deepEqual(await readAll(window.body), Buffer.from(part));
    const nothing = await get(memberAt(peer.port));
    assert.equal(nothing.status, 404);
    assert.match((await readAll(nothing.body)).toString(), /BLOB_UNKNOWN/);
    assert.equal(peer.accepted(), 1);
    end();
    await peer.close();
  });
}
