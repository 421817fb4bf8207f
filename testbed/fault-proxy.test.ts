import assert from 'node:assert/strict';
import { connect } from 'node:net';
import { after, test } from 'node:test';
import { createImage, readBlob, startFaultProxy, startUpstream } from './index.ts';
import { exchange } from './http-exchange.ts';
import type { Answer } from './http-exchange.ts';
import type { Fault, FaultProxy, FaultRule, TestBlob } from './index.ts';

const sizeBytes = 500_000;
const image = await createImage({ name: 'docker.io/library/demo:1.0', layers: [{ sizeBytes }] });
const [layer] = [...image.blobs.values()].filter((blob) => blob.sizeBytes === sizeBytes) as [TestBlob];
const whole = await readBlob(layer);
const upstream = await startUpstream({ content: [image] });
after(() => upstream.close());

async function withProxy(rules: readonly FaultRule[], run: (proxy: FaultProxy) => Promise<void>): Promise<void> {
  const proxy = await startFaultProxy({ target: upstream.url, rules });
  try {
    await run(proxy);
  } finally {
    await proxy.close();
  }
}

function get(proxy: FaultProxy, range?: string, signal = AbortSignal.timeout(20_000)): Promise<Answer> {
  const url = new URL(`/v2/library/demo/blobs/${layer.digest}`, proxy.url);
  return exchange({ url, method: 'GET', headers: range === undefined ? {} : { range }, signal, dialTimeoutMs: 5000 });
}

/** What came, and how it ended. */
async function read(answer: Answer): Promise<{ bytes: Buffer; end: string }> {
  const chunks: Buffer[] = [];
  try {
    for await (const chunk of answer.body) chunks.push(Buffer.from(chunk));
    return { bytes: Buffer.concat(chunks), end: 'whole' };
  } catch (error) {
    return {
      bytes: Buffer.concat(chunks),
      end: error instanceof Error && 'kind' in error ? String(error.kind) : String(error),
    };
  }
}

test('proxy: without a rule it changes nothing, keep-alive and HEAD included', async () => {
  await withProxy([], async (proxy) => {
    for (let turn = 0; turn < 3; turn += 1) {
      const url = `${proxy.url}/v2/library/demo/blobs/${layer.digest}`;
      assert.equal((await fetch(url, { method: 'HEAD' })).headers.get('content-length'), String(sizeBytes));
      assert.deepEqual(Buffer.from(await (await fetch(url)).bytes()), Buffer.from(whole));
    }
    assert.equal(proxy.requests().length, 6);
    assert.equal(proxy.requests()[1]?.method, 'GET');
  });
});

for (const at of [0, 1, 77_777, sizeBytes - 1]) {
  test(`proxy: a FIN at byte ${at} of the body comes after exactly so many bytes`, async () => {
    await withProxy([{ fault: { type: 'cut', by: 'fin', at } }], async (proxy) => {
      const { bytes, end } = await read(await get(proxy));
      assert.equal(end, 'fin');
      assert.ok(bytes.equals(whole.subarray(0, at)));
    });
  });
}

test('proxy: the answer to a HEAD has no body, so what follows on its connection is found', async () => {
  const fault: Fault = { type: 'flip', at: 5 };
  await withProxy([{ fault, when: ({ method }) => method === 'GET' }], async (proxy) => {
    const socket = connect({ host: '127.0.0.1', port: proxy.port });
    const ask = (method: string, fields: string) =>
      `${method} /v2/library/demo/blobs/${layer.digest} HTTP/1.1\r\nhost: x\r\n${fields}\r\n`;
    socket.write(ask('HEAD', '') + ask('GET', 'connection: close\r\n'));
    const received = Buffer.concat(await Array.fromAsync(socket as AsyncIterable<Buffer>));
    assert.equal(received.subarray(-sizeBytes)[5], 0xff ^ (whole[5] ?? 0));
  });
});

test('proxy: an RST is seen as an RST', async () => {
  await withProxy([{ fault: { type: 'cut', by: 'rst', at: 1000 } }], async (proxy) => {
    const { end } = await read(await get(proxy));
    assert.equal(end, 'rst');
  });
});

test('proxy: a place in the blob is found in the range that holds it, once', async () => {
  const fault: Fault = { type: 'flip', at: 300_000, of: 'blob' };
  await withProxy([{ fault, times: 1 }], async (proxy) => {
    const early = await read(await get(proxy, 'bytes=0-299999'));
    assert.ok(early.bytes.equals(whole.subarray(0, 300_000)), 'the range before it is untouched');
    const { bytes } = await read(await get(proxy, 'bytes=299999-'));
    assert.equal(bytes[1], 0xff ^ (whole[300_000] ?? 0));
    bytes[1] = whole[300_000] ?? 0;
    assert.ok(bytes.equals(whole.subarray(299_999)), 'and nothing else');
    assert.ok((await read(await get(proxy, 'bytes=299999-'))).bytes.equals(whole.subarray(299_999)));
  });
});

test('proxy: a cut at a byte of the connection counts heads too', async () => {
  await withProxy([{ fault: { type: 'cut', by: 'fin', at: 5, of: 'connection' }, times: 1 }], async (proxy) => {
    await assert.rejects(get(proxy), /FIN/);
    assert.equal((await read(await get(proxy))).end, 'whole');
  });
});

for (const fault of [{ type: 'black-hole' }, { type: 'silent-head' }] as const) {
  test(`proxy: ${fault.type} gives nothing and does not end`, async () => {
    await withProxy([{ fault, times: 1 }], async (proxy) => {
      const scope = new AbortController();
      const asked = get(proxy, undefined, scope.signal);
      const other = await get(proxy);
      assert.equal((await read(other)).end, 'whole', 'another connection works meanwhile');
      assert.equal(proxy.requests().length, fault.type === 'black-hole' ? 1 : 2);
      scope.abort(new Error('enough'));
      await assert.rejects(asked, /enough/);
    });
  });
}

test('proxy: a stall gives exactly the bytes before it, then none', async () => {
  await withProxy([{ fault: { type: 'stall', at: 1234 } }], async (proxy) => {
    const scope = new AbortController();
    const answer = await get(proxy, undefined, scope.signal);
    let received = 0;
    const reading = (async () => {
      for await (const chunk of answer.body) {
        received += chunk.byteLength;
        if (received === 1234) scope.abort(new Error('enough'));
      }
    })();
    await assert.rejects(reading, /enough/);
    assert.equal(received, 1234);
  });
});

test('proxy: a trickle keeps its rate', async () => {
  await withProxy([{ fault: { type: 'trickle', bytesPerSecond: 100_000 } }], async (proxy) => {
    const startMs = performance.now();
    const { bytes } = await read(await get(proxy, 'bytes=0-19999'));
    assert.ok(bytes.equals(whole.subarray(0, 20_000)));
    assert.ok(performance.now() - startMs >= 190, '20 kB at 100 kB/s take 200 ms');
  });
});

test('proxy: refuse closes the port until the rule goes; kill resets what is open', async () => {
  await withProxy([{ fault: { type: 'stall', at: 10 } }], async (proxy) => {
    const answer = await get(proxy);
    const reading = read(answer);
    await proxy.kill();
    assert.equal((await reading).end, 'rst');
    await assert.rejects(get(proxy), /ECONNREFUSED/);
    await proxy.setRules([{ fault: { type: 'refuse' } }]);
    await assert.rejects(get(proxy), /ECONNREFUSED/);
    await proxy.setRules([]);
    assert.equal((await read(await get(proxy))).end, 'whole');
  });
});
