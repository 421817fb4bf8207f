import { generateKeyPairFromSeed } from '@libp2p/crypto/keys';
import { identify } from '@libp2p/identify';
import type { Libp2p, Stream } from '@libp2p/interface';
import { noise } from '@libp2p/noise';
import { ping } from '@libp2p/ping';
import { tcp } from '@libp2p/tcp';
import { yamux } from '@libp2p/yamux';
import { createLibp2p } from 'libp2p';
import { createFramedStream } from '../framed-stream.ts';
import type { FramedStream } from '../framed-stream.ts';
import { createHalfMessages } from '../half-messages.ts';
import { kadProtocol } from '../kad-codec.ts';

/**
 * Three nodes as they talked: one of ours at 10.88.0.12, two Spegel nodes at 10.88.0.11 (`first`) and 10.88.0.13 (`second`), all with router port
 * 5001. Ed25519 seeds are one byte 32 times, so that a test can be each of them. Messages are what was between the length prefixes of
 * `/spegel/kad/1.0.0`, in hex, as each release sent them.
 */
export const recordedSeeds = { ours: 0x11, first: 0x22, second: 0x33 } as const;

export const recordedIds = {
  ours: '12D3KooWPqT2nMDSiXUSx5D7fasaxhxKigVhcqfkKqrLghCq9jxz',
  first: '12D3KooWLdJAwPtyQ5RFnr9wGXsQzpf3P2SeqFbYkqbfVehLu4Ns',
  second: '12D3KooWBRFW3HkJCLKSWb4yG6iWRBpgNjbM4FFvNsL5T5JKTqrd',
} as const;

/** What the recorded keys are hashes of. */
export const recordedTag = 'up.test/demo/img0:1';

/** Peer ids in bytes, as messages name them. */
const ours = '002408011220d04ab232742bb4ab3a1368bd4615e4e6d0224ab71a016baf8520a332c9778737';
const first = '002408011220a09aa5f47a6759802ff955f8dc2d2a14a5c99d23be97f864127ff9383455a4f0';
const second = '00240801122017cb79fb2b4120f2b1ec65e4198d6e08b28e813feb01e4a400839b85e18080ce';
const tagKey = '1220fca7179b05f79e2a0862bb34c8a6a4ff15b282d0121250d6c54790a909cbaa4c';
const addressOfOurs = '040a58000c061389';
const addressOfFirst = '040a58000b061389';
const addressOfSecond = '040a58000d061389';
/** Field 10: a level that go-libp2p always writes and nobody reads. */
const level = '5001';
/** go-libp2p's field 3 of a peer: connected. */
const connected = '1801';

export interface RecordedRelease {
  readonly version: string;
  /** What identify says, of `first`. */
  readonly protocols: readonly string[];
  readonly listenAddrs: readonly string[];
  /** What it sends to one of ours. */
  readonly asks: {
    /** FIND_NODE for the id of the node that is asked: go-libp2p takes it into its table only if it names itself. */
    readonly itself: string;
    /** FIND_NODE for a place in key space: 32 bytes that look like a hash and are none. */
    readonly place: string;
    /** GET_PROVIDERS of `recordedTag`. */
    readonly holders: string;
    /** ADD_PROVIDER, sent by `first`; v0.4.0 never sends one. */
    readonly provides: string | undefined;
  };
  /** What it says to ours, by who answers; `recordedTag` is held by `first`. */
  readonly answers: {
    readonly toHoldersByFirst: string;
    readonly toHoldersBySecond: string;
    readonly toNodes: string;
  };
}

const common = {
  protocols: [
    '/ipfs/id/1.0.0',
    '/ipfs/id/push/1.0.0',
    '/ipfs/ping/1.0.0',
    '/libp2p/circuit/relay/0.2.0/stop',
    kadProtocol,
  ],
  listenAddrs: ['/ip4/10.88.0.11/tcp/5001'],
} as const;

/** Where questions for nodes begin, and the answer of who knows none. */
const nodesQuestion = '0804';
const nobody = `0804${level}`;

const askItself = `08041226${ours}${level}`;
const askHolders = `08031222${tagKey}${level}`;
const askPlace = (start: string): string => `08041222${`1220${start}`.padEnd(68, '0')}${level}`;
const peer = (field: '42' | '4a', id: string, address: string, isConnected: boolean): string =>
  `${field}${isConnected ? '34' : '32'}0a26${id}1208${address}${isConnected ? connected : ''}`;
const closer = (id: string, address: string): string => peer('42', id, address, true);
const provider = (id: string, address: string, isConnected: boolean): string => peer('4a', id, address, isConnected);
const provides =
  '080212221220badcc1724ab970aab6cd4dc619e34944c13efdffebaaf3d5783bdf973e9f0a2c' +
  provider(first, addressOfFirst, false) +
  level;
/** The holder names the other node as closer, and itself without saying that it is connected to itself. */
const byFirst = `08031222${tagKey}${closer(second, addressOfSecond)}${provider(first, addressOfFirst, false)}${level}`;
const nodesOfBoth = `0804${closer(ours, addressOfOurs)}${closer(second, addressOfSecond)}${level}`;

export const recordedReleases: readonly RecordedRelease[] = [
  {
    version: 'v0.4.0',
    ...common,
    asks: { itself: askItself, place: askPlace('0000a7cf'), holders: askHolders, provides: undefined },
    answers: {
      toHoldersByFirst: byFirst,
      toHoldersBySecond: `08031222${tagKey}${closer(first, addressOfFirst)}${level}`,
      toNodes: `0804${closer(second, addressOfSecond)}${level}`,
    },
  },
  {
    version: 'v0.6.0',
    ...common,
    asks: { itself: askItself, place: askPlace('00011eca'), holders: askHolders, provides },
    answers: {
      toHoldersByFirst: byFirst,
      toHoldersBySecond: `08031222${tagKey}${closer(first, addressOfFirst)}${provider(first, addressOfFirst, true)}${level}`,
      toNodes: nodesOfBoth,
    },
  },
  {
    version: 'v0.7.4',
    ...common,
    asks: { itself: askItself, place: askPlace('00008153'), holders: askHolders, provides },
    answers: {
      toHoldersByFirst: byFirst,
      toHoldersBySecond: `08031222${tagKey}${closer(first, addressOfFirst)}${provider(first, addressOfFirst, true)}${level}`,
      toNodes: nodesOfBoth,
    },
  },
];

export interface ReleaseNode {
  readonly node: Libp2p;
  /** What it was asked, in hex. */
  readonly heard: readonly string[];
}

/**
 * A node with a recorded identity that announces what the release announced, and answers each kad message as `answer` says, or not at all. Asked for nodes
 * it names nobody: the answer to the next question would be taken for this one's. It dials; nobody reaches it.
 */
export async function startRelease(
  release: RecordedRelease,
  seed: number,
  answer: (message: string) => string | undefined,
): Promise<ReleaseNode> {
  const heard: string[] = [];
  const node = await createLibp2p({
    privateKey: await generateKeyPairFromSeed('Ed25519', new Uint8Array(32).fill(seed)),
    addresses: { announce: [...release.listenAddrs] },
    transports: [tcp()],
    connectionEncrypters: [noise()],
    streamMuxers: [yamux()],
    connectionMonitor: { enabled: false },
    services: { identify: identify(), ping: ping() },
  });
  const own = new Set(node.getProtocols());
  for (const protocol of release.protocols) if (!own.has(protocol)) await node.handle(protocol, serve);
  return { node, heard };

  function serve(stream: Stream): void {
    const framed = framedHex(stream, (message) => {
      heard.push(message);
      const said = answer(message) ?? (message.startsWith(nodesQuestion) ? nobody : undefined);
      if (said !== undefined) framed.send(Buffer.from(said, 'hex'));
    });
  }
}

/** Messages of a stream as hex. */
export function framedHex(stream: Stream, onMessage: (message: string) => void): FramedStream {
  return createFramedStream(stream, {
    messageMaxBytes: 100_000,
    halfMessages: createHalfMessages(100_000),
    pauseWhenFull: false,
    onEnd: () => undefined,
    onMessage: (bytes) => {
      onMessage(Buffer.from(bytes).toString('hex'));
    },
  });
}
