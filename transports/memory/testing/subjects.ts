import type {
  ClockSubject,
  ClusterSubject,
  ContentStoreSubject,
  DigesterSubject,
  ObserverSubject,
  PeerClientSubject,
  PeerFault,
  PeerScript,
  RandomSubject,
} from '../../../core/conformance/index.ts';
import type { Body, DistributionResponse, PeerRequest, RequestText } from '../../../core/index.ts';
import { createVirtualClock } from '../../../core/testing/virtual-clock.ts';
import type { VirtualClock } from '../../../core/testing/virtual-clock.ts';
import { createDigester } from '../../system/digester.ts';
import { createRandom } from '../../system/random.ts';
import type { LinkFault } from '../link-fault.ts';
import { createMemoryBody } from '../memory-body.ts';
import { createMemoryCluster } from '../memory-cluster.ts';
import { createMemoryStore } from '../memory-store.ts';
import { createRecordingObserver } from '../recording-observer.ts';

/** Factories of what the suites look at, all in memory, over one virtual clock. */
export interface MemorySubjects {
  readonly pause: () => Promise<void>;
  clock(): ClockSubject;
  random(): RandomSubject;
  digester(): DigesterSubject;
  contentStore(): ContentStoreSubject;
  cluster(): ClusterSubject;
  peerClient(): PeerClientSubject;
  observer(): ObserverSubject;
}

export function createMemorySubjects(clock: VirtualClock = createVirtualClock()): MemorySubjects {
  return {
    pause: () => clock.advance(2_000),
    clock: () => ({ clock, pending: clock.pending }),
    random: () => ({ seeded: createRandom }),
    digester: () => {
      const digester = createDigester();
      return { digester, pending: digester.pending, close: digester.dispose };
    },
    contentStore: () => contentStoreSubject(clock),
    cluster: () => clusterSubject(clock),
    peerClient: () => peerClientSubject(clock),
    observer: () => ({ observer: createRecordingObserver() }),
  };
}

function contentStoreSubject(clock: VirtualClock): ContentStoreSubject {
  const store = createMemoryStore({ clock, digester: createDigester() });
  return {
    store,
    addImage: async (reference, contents) => {
      const { manifest, layers } = store.putImage(reference, contents);
      return { manifest: { mediaType: '', ...manifest }, layers: layers.map((layer) => ({ mediaType: '', ...layer })) };
    },
    removeContent: async (digest) => {
      store.removeContent(digest);
    },
    removeTag: async (reference) => {
      store.removeTag(reference);
    },
    truncate: async (digest, sizeBytes) => {
      store.damage(digest, new Uint8Array(sizeBytes));
    },
    pending: () => store.pending() + clock.pending(),
  };
}

function clusterSubject(clock: VirtualClock): ClusterSubject {
  const cluster = createMemoryCluster({ clock, digester: createDigester() });
  const nodes = ['zone-a', 'zone-b', ''].map((zone) => cluster.addNode({ zone }));
  const idOf = (index: number): string => nodes[index]?.membership.self.id ?? '';
  return {
    nodes,
    join: async () => cluster.addNode(),
    stop: async (index) => {
      cluster.stop(idOf(index));
    },
    restart: async (index) => cluster.restart(idOf(index)),
    pending: () => cluster.pending() + clock.pending(),
  };
}

function peerClientSubject(clock: VirtualClock): PeerClientSubject {
  const cluster = createMemoryCluster({ clock, digester: createDigester() });
  const client = cluster.addNode();
  const clientId = client.membership.self.id;
  return {
    client: client.peers,
    peer: async (script) => {
      const node = cluster.addNode();
      const { self } = node.membership;
      const requests: PeerRequest[] = [];
      node.listen({
        answer: async ({ method, target, headers }: RequestText, signal) => {
          requests.push({ method: method === 'HEAD' ? 'HEAD' : 'GET', target, headers });
          return scriptedAnswer(script, method, signal);
        },
      });
      cluster.setFault(clientId, self.id, linkFault(script.fault));
      // A silent peer of this cluster is one whose mirror takes the request and never answers.
      if (script.fault?.type === 'silent') {
        node.listen({
          answer: ({ target, headers }) => {
            requests.push({ method: 'GET', target, headers });
            return new Promise(() => undefined);
          },
        });
      }
      return { member: self, requests: () => requests };
    },
    refusing: async () => cluster.addNode().membership.self,
    vanished: async () => {
      const { self } = cluster.addNode().membership;
      cluster.setFault(clientId, self.id, { type: 'black-hole' });
      return self;
    },
    pending: () => cluster.pending() + clock.pending(),
  };
}

function linkFault(fault: PeerFault | undefined): LinkFault | undefined {
  switch (fault?.type) {
    case 'hang-up':
    case 'cut':
    case 'stall':
      return fault;
    default:
      return undefined;
  }
}

function scriptedAnswer(
  { status, headers, chunks }: PeerScript,
  method: string,
  signal: AbortSignal,
): DistributionResponse {
  const bytes = Buffer.concat(chunks);
  const body: Body = createMemoryBody({
    current: () => bytes,
    start: 0,
    end: bytes.byteLength,
    chunkBytes: 65_536,
    signal,
    onEnded: () => undefined,
  });
  const head = { status, headers: Object.fromEntries(headers.map(([name, value]) => [name.toLowerCase(), value])) };
  return method === 'HEAD' ? head : { ...head, body };
}
