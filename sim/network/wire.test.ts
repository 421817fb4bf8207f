import assert from 'node:assert/strict';
import { test } from 'node:test';
import { errorCodeOf } from '../../core/index.ts';
import type { Body } from '../../core/index.ts';
import { SymbolChunk } from '../content/symbols.ts';
import { Kernel } from '../kernel/kernel.ts';
import { Life } from '../kernel/life.ts';
import type { ExchangeAnswer } from './exchange.ts';
import type { HttpFault } from './http-fault.ts';
import { blobServer, bytesPerSecond, latencyUs, twoHosts } from './testing/two-hosts.ts';
import type { TwoHosts } from './testing/two-hosts.ts';
import { isReset } from './wire-body.ts';

const second = 1_000_000;
const request = { method: 'GET', target: '/v2/', headers: {} };
const roundTripUs = 2 * latencyUs;

interface Read {
  /** `done`, or the code of what it ended with; `reset` for an RST. */
  readonly end: string;
  readonly bytes: number;
  readonly headUs: number;
  readonly tookUs: number;
  readonly wrongAt: readonly number[];
}

function ask(
  { client, server, wire }: TwoHosts,
  signal = new AbortController().signal,
  dialTimeoutUs = 250_000,
): Promise<ExchangeAnswer> {
  return wire.exchange(client, server, request, signal, { dialTimeoutUs });
}

/** One exchange and its body to the end. */
async function read(hosts: TwoHosts): Promise<Read> {
  const { kernel } = hosts;
  const beganUs = kernel.nowUs();
  const wrongAt: number[] = [];
  const seen = { bytes: 0, headUs: -1 };
  const since = (): number => kernel.nowUs() - beganUs;
  const result = (end: string): Read => ({ ...seen, end, tookUs: since(), wrongAt });
  try {
    const { body } = await ask(hosts);
    seen.headUs = since();
    for (let step = await body?.next(); step !== undefined && step.done !== true; step = await body?.next()) {
      seen.bytes += step.value.byteLength;
      if (step.value instanceof SymbolChunk && step.value.wrongAt >= 0) wrongAt.push(step.value.wrongAt);
    }
    return result('done');
  } catch (cause) {
    return result(isReset(cause) ? 'reset' : (errorCodeOf(cause) ?? String(cause)));
  }
}

/** Runs until the promise has settled, or for so long. */
async function settle<T>({ kernel }: TwoHosts, promise: Promise<T>, forUs = 100 * second): Promise<T | undefined> {
  let result: T | undefined;
  void promise.then((value) => {
    result = value;
    kernel.stop();
  });
  await kernel.run({ untilUs: kernel.nowUs() + forUs });
  return result;
}

async function readWith(fault: HttpFault, sizeBytes = bytesPerSecond): Promise<Read> {
  const hosts = twoHosts(blobServer(sizeBytes));
  hosts.wire.rule(() => fault);
  const result = await settle(hosts, read(hosts));
  assert.equal(hosts.pending(), 0, `something is left after ${fault.kind}`);
  return result ?? assert.fail(`${fault.kind}: never ends`);
}

test('wire: a round trip for the connection, one for the answer, then bytes as the cable carries them', async () => {
  const hosts = twoHosts(blobServer(bytesPerSecond));
  const first = await settle(hosts, read(hosts));
  assert.deepEqual([first?.end, first?.bytes, first?.headUs], ['done', bytesPerSecond, 2 * roundTripUs]);
  assert.equal(first?.tookUs, 2 * roundTripUs + second);
  const again = await settle(hosts, read(hosts));
  assert.equal(again?.headUs, roundTripUs, 'the connection stands');
  hosts.kernel.schedule(31 * second, () => {
    hosts.kernel.stop();
  });
  await hosts.kernel.run({ untilUs: 1_000 * second });
  assert.equal((await settle(hosts, read(hosts)))?.headUs, 2 * roundTripUs, 'it was idle for too long');
});

test('wire: a fresh connection begins with ten segments, and doubles them with each round trip', async () => {
  const sizeBytes = 14_480 * 7;
  const hosts = twoHosts(blobServer(sizeBytes));
  const far = { roundTripUs: 1_000_000, windowBytes: 14_480 };
  const path = [hosts.flows.addLink('fast', 1e9)];
  const took: number[] = [];
  const carry = (bytes: number, windowBytes: number): Promise<number> =>
    new Promise((resolve) => {
      const beganUs = hosts.kernel.nowUs();
      hosts.flows.open(path, { ...far, windowBytes }).want(bytes, Infinity, () => {
        resolve(hosts.kernel.nowUs() - beganUs);
      });
    });
  for (const [bytes, window] of [
    [14_480, 14_480],
    [3 * 14_480, 14_480],
    [sizeBytes, 14_480],
    [sizeBytes, Infinity],
  ] as const)
    took.push((await settle(hosts, carry(bytes, window))) ?? -1);
  assert.deepEqual(
    took.map((us) => Math.round(us / 100_000) / 10),
    [0, 1, 2, 0],
  );
});

test('wire: faults are what a client sees of them, and nothing is left of any', async () => {
  const size = bytesPerSecond;
  const ends: [fault: HttpFault, end: string, bytes: number][] = [
    [{ kind: 'refuse' }, 'DIAL_REFUSED', 0],
    [{ kind: 'black-hole' }, 'DIAL_TIMEOUT', 0],
    [{ kind: 'hang-up' }, 'PEER_CLOSED', 0],
    [{ kind: 'garbage' }, 'PEER_PROTOCOL', 0],
    [{ kind: 'slow-head', delayUs: second }, 'done', size],
    [{ kind: 'reset', atByte: 0 }, 'reset', 0],
    [{ kind: 'reset', atByte: 4_711 }, 'reset', 4_711],
    [{ kind: 'reset', atByte: -1 }, 'reset', size - 1],
    [{ kind: 'reset', atByte: size }, 'done', size],
    [{ kind: 'cut', atByte: 4_711 }, 'PEER_CLOSED', 4_711],
    [{ kind: 'cut', atByte: -1 }, 'PEER_CLOSED', size - 1],
    [{ kind: 'flip', atByte: 77 }, 'done', size],
    [{ kind: 'trickle', bytesPerSecond: 100_000 }, 'done', size],
    [{ kind: 'status', status: 503 }, 'done', 0],
    [{ kind: 'short-length', bytes: 10 }, 'done', size - 10],
    [{ kind: 'long-length', bytes: 10 }, 'done', size + 10],
    [{ kind: 'surplus' }, 'done', size],
  ];
  for (const [fault, end, bytes] of ends) {
    const seen = await readWith(fault, size);
    assert.deepEqual([seen.end, seen.bytes], [end, bytes], JSON.stringify(fault));
  }
  assert.deepEqual((await readWith({ kind: 'flip', atByte: 77 })).wrongAt, [77]);
  assert.equal((await readWith({ kind: 'long-length', bytes: 10 })).wrongAt.length, 1);
  const { tookUs } = await readWith({ kind: 'trickle', bytesPerSecond: 100_000 });
  assert.equal(tookUs, 2 * roundTripUs + 10 * second);
});

for (const fault of [{ kind: 'silent-head' }, { kind: 'stall', atByte: 7 }] as const) {
  test(`wire: ${fault.kind} lasts until the client gives up, and leaves nothing`, async () => {
    const hosts = twoHosts(blobServer(bytesPerSecond));
    hosts.wire.rule(() => fault);
    const controller = new AbortController();
    const state: { body?: Body | undefined } = {};
    const reading = ask(hosts, controller.signal).then(async ({ body }) => {
      state.body = body;
      await body?.next();
      return body?.next();
    });
    const code = reading.then(() => 'none', errorCodeOf);
    assert.equal(await settle(hosts, code, 60 * second), undefined);
    controller.abort();
    assert.equal(await settle(hosts, code), 'ABORTED');
    assert.equal(hosts.pending(), 0);
  });
}

test('wire: a program that dies in mid-body: what its kernel has still comes, then FIN; the next one is dialled and refused', async () => {
  const hosts = twoHosts(blobServer(10 * bytesPerSecond));
  hosts.kernel.schedule(second, () => {
    hosts.server.server = undefined;
    hosts.server.life.end();
    hosts.wire.forget(hosts.server);
  });
  const seen = await settle(hosts, read(hosts));
  assert.equal(seen?.end, 'PEER_CLOSED');
  assert.equal(seen?.bytes, second - 2 * roundTripUs + 512 * 1024);
  assert.equal((await settle(hosts, read(hosts)))?.end, 'DIAL_REFUSED');
  assert.equal(hosts.pending(), 0);
});

test('wire: a body is whole with its last byte, though its server has stood still meanwhile', async () => {
  const hosts = twoHosts(blobServer(bytesPerSecond));
  hosts.kernel.schedule(0.9 * second, () => {
    hosts.server.life.pause();
  });
  const seen = await settle(hosts, read(hosts));
  assert.deepEqual([seen?.end, seen?.bytes], ['done', bytesPerSecond]);
  hosts.server.life.resume();
  await hosts.kernel.run({ untilUs: 200 * second });
  assert.equal(hosts.pending(), 0);
});

test('wire: a connection whose other side has died unheard is found dead, and another is dialled', async () => {
  const hosts = twoHosts(blobServer(1_000));
  await settle(hosts, read(hosts));
  const { host } = hosts.server;
  host.unplug();
  hosts.server.life.end();
  hosts.wire.forget(hosts.server);
  hosts.server.life = new Life(hosts.kernel);
  host.plug();
  const seen = await settle(hosts, read(hosts));
  assert.deepEqual([seen?.end, seen?.headUs], ['done', 3 * roundTripUs]);
});

test('wire: while a cable is out a body stands, and goes on when it is in again', async () => {
  const hosts = twoHosts(blobServer(bytesPerSecond));
  const { host } = hosts.server;
  hosts.kernel.schedule(second / 2, () => {
    host.unplug();
  });
  hosts.kernel.schedule(3 * second, () => {
    host.plug();
  });
  const seen = await settle(hosts, read(hosts));
  assert.deepEqual([seen?.end, seen?.tookUs], ['done', 2 * roundTripUs + 3.5 * second]);
  host.unplug();
  const gone = twoHosts(blobServer(1));
  gone.server.host.unplug();
  assert.equal((await settle(gone, read(gone)))?.end, 'DIAL_TIMEOUT');
  const late = twoHosts(blobServer(1));
  late.server.host.unplug();
  late.kernel.schedule(1.5 * second, () => {
    late.server.host.plug();
  });
  const answer = await settle(late, ask(late, undefined, 30 * second));
  assert.equal(answer?.status, 200);
  assert.equal(late.kernel.nowUs(), 3 * second + 2 * roundTripUs, 'a SYN is sent again after 1 s, and after 2 more');
});

test('wire: a client that dies leaves nothing, and its server learns of it', async () => {
  const kernel = new Kernel();
  const signals: AbortSignal[] = [];
  const { answer } = blobServer(10 * bytesPerSecond);
  const hosts = twoHosts(
    {
      answer: (input, signal, from) => {
        signals.push(signal);
        return answer(input, signal, from);
      },
    },
    kernel,
  );
  kernel.schedule(second, () => {
    hosts.client.life.end();
  });
  assert.equal(await settle(hosts, read(hosts)), undefined, 'no promise of it settles');
  assert.equal(hosts.pending(), 0);
  assert.deepEqual(
    signals.map(({ aborted }) => aborted),
    [true],
  );
});
