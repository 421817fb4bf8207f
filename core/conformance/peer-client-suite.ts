import { PeiliError } from '../errors.ts';
import type { Member, PeerClient, PeerRequest } from '../ports/index.ts';
import { bodyLaws, concatBytes, isSameBytes, readBody } from './body-laws.ts';
import { abortedSignal, bytesOfChunk, createHarness, neverAborted, patternBytes } from './harness.ts';
import type { BytesOf, Manifest, Subject, SuiteTools } from './harness.ts';

/** What a scripted peer does with every request it gets. */
export interface PeerScript {
  readonly status: number;
  /** Names as they travel; a repeated field is repeated here. */
  readonly headers: readonly (readonly [name: string, value: string])[];
  /** The body, in the pieces in which it is written. */
  readonly chunks: readonly Uint8Array[];
  /** Without it the peer answers to the end. */
  readonly fault?: PeerFault;
}

export type PeerFault =
  /** Takes the request and never answers. */
  | { readonly type: 'silent' }
  /** Ends the connection instead of an answer. */
  | { readonly type: 'hang-up' }
  /** Ends the connection after so many bytes of the body. */
  | { readonly type: 'cut'; readonly atByte: number }
  /** Sends nothing more after so many bytes of the body. */
  | { readonly type: 'stall'; readonly atByte: number }
  /** Answers what is not HTTP. */
  | { readonly type: 'garbage' };

export interface PeerClientSubject extends Subject {
  readonly client: PeerClient;
  /** A member with a scripted peer behind it. */
  peer(script: PeerScript): Promise<ScriptedPeer>;
  /** A member where nobody listens. */
  refusing(): Promise<Member>;
  /** A member whose node does not answer at all; only asked for with `black-hole`. */
  vanished?(): Promise<Member>;
  readonly bytesOf?: BytesOf;
}

export interface ScriptedPeer {
  readonly member: Member;
  /** What arrived, oldest first; lower-case header names. */
  requests(): readonly PeerRequest[];
}

/** `garbage`: there is a wire on which a peer can talk nonsense. `black-hole`: the factory can make a member that vanished. `refusing`: a closed port exists. */
export type PeerClientCapability = 'garbage' | 'black-hole' | 'refusing' | 'repeated-headers';

const get: PeerRequest = { method: 'GET', target: '/v2/library/busybox/blobs/sha256:00?ns=docker.io', headers: {} };

function answering(bytes: Uint8Array, fault?: PeerFault): PeerScript {
  const chunks = [
    bytes.subarray(0, 1),
    bytes.subarray(1, bytes.byteLength >> 1),
    bytes.subarray(bytes.byteLength >> 1),
  ];
  return {
    status: 200,
    headers: [
      ['Content-Type', 'application/octet-stream'],
      ['Content-Length', String(bytes.byteLength)],
    ],
    chunks: chunks.filter((chunk) => chunk.byteLength > 0),
    ...(fault === undefined ? {} : { fault }),
  };
}

export interface PeerClientSuiteOptions extends SuiteTools {
  readonly manifest: Manifest<PeerClientCapability>;
  readonly factory: () => Promise<PeerClientSubject>;
}

/** The laws of `PeerClient`. */
export function peerClientSuite({ manifest, factory, ...tools }: PeerClientSuiteOptions): void {
  const harness = createHarness(tools, 'peer client', manifest, factory);
  const { assert, law, lawOf, settle, rejects, until } = harness;
  const bytes = patternBytes(700_000, 5);

  bodyLaws(harness, async ({ client, peer, bytesOf }) => {
    const { member } = await peer(answering(bytes));
    const open = async (signal: AbortSignal) => {
      const { body } = await client.fetch(member, get, signal);
      if (body === undefined) throw new Error('the answer to GET has a body');
      return body;
    };
    return { open, expected: bytes, ...(bytesOf === undefined ? {} : { bytesOf }) };
  });

  law(
    'the request arrives as it was given, and says that it comes from a mirror',
    async ({ client, peer, bytesOf }) => {
      const { member, requests } = await settle(peer(answering(bytes)));
      const request: PeerRequest = { ...get, headers: { range: 'bytes=5-9', accept: 'application/json' } };
      const { body } = await settle(client.fetch(member, request, neverAborted()));
      await settle(readBody(body ?? missing(), bytesOf));
      const [arrived] = requests();
      assert.equal(arrived?.method, 'GET');
      assert.equal(arrived?.target, request.target);
      assert.equal(arrived?.headers['range'], 'bytes=5-9');
      assert.equal(arrived?.headers['accept'], 'application/json');
      assert.equal(arrived?.headers['x-spegel-mirrored'], 'true');
    },
  );

  for (const status of [200, 206, 404, 416, 503]) {
    law(`status ${status} is an answer, with lower-case header names`, async ({ client, peer, bytesOf }) => {
      const { member } = await settle(peer({ ...answering(bytes), status }));
      const response = await settle(client.fetch(member, get, neverAborted()));
      assert.equal(response.status, status);
      assert.equal(response.headers['content-type'], 'application/octet-stream');
      assert.equal(response.headers['content-length'], String(bytes.byteLength));
      assert.ok(isSameBytes(await settle(readBody(response.body ?? missing(), bytesOf)), bytes), 'the bytes are right');
    });
  }

  lawOf('repeated-headers', 'the values of a repeated field are joined in order', async ({ client, peer }) => {
    const script = answering(bytes);
    const headers = [...script.headers, ['X-Twice', 'one'], ['x-twice', 'two']] as const;
    const { member } = await settle(peer({ ...script, headers }));
    const response = await settle(client.fetch(member, get, neverAborted()));
    assert.equal(response.headers['x-twice'], 'one, two');
    await settle(response.body?.return() ?? missing());
  });

  law('the answer to HEAD has the length and no body', async ({ client, peer }) => {
    const { member } = await settle(peer(answering(bytes)));
    const response = await settle(client.fetch(member, { ...get, method: 'HEAD' }, neverAborted()));
    assert.equal(response.headers['content-length'], String(bytes.byteLength));
    assert.equal(response.body, undefined);
  });

  law('an answer of no bytes ends cleanly', async ({ client, peer, bytesOf }) => {
    const { member } = await settle(peer(answering(new Uint8Array(0))));
    const { body } = await settle(client.fetch(member, get, neverAborted()));
    if (body !== undefined) assert.equal((await settle(readBody(body, bytesOf))).byteLength, 0);
  });

  law('requests one after the other and at once get their own answers', async ({ client, peer, bytesOf }) => {
    const contents = [3, 70_000, 200_000].map((size, salt) => patternBytes(size, salt));
    const peers = await settle(Promise.all(contents.map((content) => peer(answering(content)))));
    const ask = async (index: number): Promise<void> => {
      const which = index % contents.length;
      const { body } = await client.fetch(peers[which]?.member ?? missing(), get, neverAborted());
      assert.ok(
        isSameBytes(await readBody(body ?? missing(), bytesOf), contents[which] ?? missing()),
        'the bytes are right',
      );
    };
    for (let index = 0; index < 6; index += 1) await settle(ask(index));
    await settle(Promise.all(Array.from({ length: 12 }, (_, index) => ask(index))));
  });

  law('an answer that was given up does not disturb the next', async ({ client, peer, bytesOf }) => {
    const { member } = await settle(peer(answering(bytes)));
    for (let round = 0; round < 4; round += 1) {
      const given = await settle(client.fetch(member, get, neverAborted()));
      if (round % 2 === 1) await settle(given.body?.next() ?? missing());
      await settle(given.body?.return() ?? missing());
      const whole = await settle(client.fetch(member, get, neverAborted()));
      assert.ok(isSameBytes(await settle(readBody(whole.body ?? missing(), bytesOf)), bytes), 'the bytes are right');
    }
  });

  for (const atByte of [0, 1, 300_000, 699_999]) {
    law(
      `a connection that ends after ${atByte} bytes: those bytes, then PEER_CLOSED`,
      async ({ client, peer, bytesOf = bytesOfChunk }) => {
        const { member } = await settle(peer(answering(bytes, { type: 'cut', atByte })));
        const taken: Uint8Array[] = [];
        const read = async (): Promise<void> => {
          const { body = missing() } = await client.fetch(member, get, neverAborted());
          for (let step = await body.next(); step.done !== true; step = await body.next())
            taken.push(Uint8Array.from(bytesOf(step.value)));
        };
        await rejects(read(), 'PEER_CLOSED');
        assert.ok(isSameBytes(concatBytes(taken), bytes.subarray(0, atByte)), 'all bytes before the cut, and no more');
      },
    );
  }

  for (const end of ['return', 'abort'] as const) {
    law(`a stall waits; ${end} makes the pending next() reject with ABORTED`, async ({ client, peer }) => {
      const { member } = await settle(peer(answering(bytes, { type: 'stall', atByte: 1 })));
      const controller = new AbortController();
      const { body = missing() } = await settle(client.fetch(member, get, controller.signal));
      await settle(body.next());
      const pending = body.next();
      if (end === 'abort') controller.abort();
      else await settle(body.return());
      await rejects(pending, 'ABORTED');
      await settle(body.return());
    });
  }

  law('a peer that never answers: aborting rejects with ABORTED', async ({ client, peer }) => {
    const { member, requests } = await settle(peer(answering(bytes, { type: 'silent' })));
    const controller = new AbortController();
    const call = client.fetch(member, get, controller.signal);
    await until('the request arrived', () => requests().length === 1);
    controller.abort();
    await rejects(call, 'ABORTED');
  });

  law('a signal aborted with a reason of ours rejects with that reason', async ({ client, peer }) => {
    const { member } = await settle(peer(answering(bytes, { type: 'silent' })));
    const controller = new AbortController();
    const call = client.fetch(member, get, controller.signal);
    controller.abort(new PeiliError('HEAD_TIMEOUT', 'no head in time'));
    await rejects(call, 'HEAD_TIMEOUT', 'ABORTED');
  });

  law('a peer that hangs up instead of an answer is PEER_CLOSED', async ({ client, peer }) => {
    const { member } = await settle(peer(answering(bytes, { type: 'hang-up' })));
    await rejects(client.fetch(member, get, neverAborted()), 'PEER_CLOSED');
  });

  law('a signal that has aborted already asks nobody', async ({ client, peer }) => {
    const { member, requests } = await settle(peer(answering(bytes)));
    await rejects(client.fetch(member, get, abortedSignal()), 'ABORTED');
    assert.equal(requests().length, 0);
  });

  lawOf('garbage', 'an answer that is not HTTP is PEER_PROTOCOL', async ({ client, peer }) => {
    const { member } = await settle(peer(answering(bytes, { type: 'garbage' })));
    await rejects(client.fetch(member, get, neverAborted()), 'PEER_PROTOCOL');
  });

  lawOf('refusing', 'a port where nobody listens is DIAL_REFUSED', async ({ client, refusing }) => {
    await rejects(client.fetch(await settle(refusing()), get, neverAborted()), 'DIAL_REFUSED');
  });

  lawOf('black-hole', 'a node that vanished is DIAL_TIMEOUT', async ({ client, vanished = missing }) => {
    await rejects(client.fetch(await settle(vanished()), get, neverAborted()), 'DIAL_TIMEOUT');
  });
}

function missing(): never {
  throw new Error('something that must be there is not');
}
