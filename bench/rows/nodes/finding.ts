import { setTimeout as sleep } from 'node:timers/promises';
import { until } from '../../../testbed/index.ts';
import type { PlacedImage } from '../../../testbed/index.ts';
import { blobPathOf, statusAt } from '../../nodes/asking.ts';
import { nodeRow } from '../../nodes/node-row.ts';
import { sizeOf } from '../../nodes/stage.ts';
import type { Stage } from '../../nodes/stage.ts';

const smallBytes = 64 * 1024;
const foundWithinMs = 20_000;

/** Asked for before anybody has it: that is not remembered against the first holder. */
export const askedTooEarly = nodeRow({
  row: 'J',
  rounds: 7,
  measure: async (stage) => {
    const image = await stage.image([smallBytes, smallBytes, smallBytes]);
    for (const path of pathsOf(image)) {
      const status = await statusAt(stage.asker, path);
      if (status !== 404) throw new Error(`${path} is answered ${status} before anybody has it`);
    }
    await stage.near.pull(image.name);
    const sinceMs = performance.now();
    const areFound = async (): Promise<boolean> => {
      const statuses = await Promise.all(pathsOf(image).map((path) => statusAt(stage.asker, path)));
      return statuses.every((status) => status === 200);
    };
    await until('the new holder is found', areFound, foundWithinMs);
    const seconds = (performance.now() - sinceMs) / 1000;
    await stage.forget(image);
    return { seconds };
  },
  lines: [
    {
      figure: 'seconds',
      what: 'asked too early: from the pull of the first holder until all of it is found',
      unit: 's',
      compared: true,
      mark: { of: 'ours', atMost: 0.1 },
    },
  ],
  notes: ['asked every 10 ms'],
});

function pathsOf(image: PlacedImage): string[] {
  const manifests = [image.tag, image.root.digest].map(
    (reference) => `/v2/${image.repository}/manifests/${reference}?ns=${image.registry}`,
  );
  const blobs = [...image.blobs.keys()].filter((digest) => digest !== image.root.digest);
  return [...manifests, ...blobs.map((digest) => blobPathOf(image, digest))];
}

/** Told, and heard by everybody. */
const settleMs = 3000;

const artifactFiles = [
  { mediaType: 'application/json', content: '{"weights":[1,2,3]}' },
  { mediaType: 'text/csv', content: 'a,b\n1,2\n3,4\n' },
  { mediaType: 'text/plain', content: 'one\ntwo\nthree\n' },
  { mediaType: 'application/octet-stream', content: Uint8Array.from({ length: 300 }, (_, at) => at % 256) },
  { mediaType: 'application/json', content: '[]' },
];

/** An artifact's blobs are what they are, and are asked for by digest. */
export const artifactBlobs = nodeRow({
  row: 'K',
  rounds: 3,
  measure: async (stage) => {
    const files = artifactFiles.map((file) => ({ ...file, content: unlike(file.content) }));
    const name = `bench/artifact-${Math.random().toString(36).slice(2)}:1.0`;
    const artifact = await stage.upstream.addArtifact({ name, artifactType: 'application/vnd.example', files });
    await pullArtifact(stage, artifact.name);
    await sleep(settleMs);
    const digests = [...artifact.blobs.keys()].filter((digest) => digest !== artifact.root.digest);
    const statuses = await Promise.all(
      digests.map((digest) => statusAt(stage.asker, blobPathOf(artifact, digest), 'GET')),
    );
    const served = (100 * statuses.filter((status) => status === 200).length) / statuses.length;
    await stage.forget(artifact);
    return { served, sizeBytes: sizeOf(artifact) };
  },
  lines: [
    {
      figure: 'served',
      what: 'artifact blobs (JSON, CSV, lists, small binaries) of a peer: served',
      unit: '%',
      mean: true,
      mark: { of: 'ours', atLeast: 100 },
    },
  ],
});

/** Another digest each time; what it looks like stays. */
function unlike(content: string | Uint8Array): string | Uint8Array {
  if (typeof content !== 'string') return Uint8Array.from([...content, ...crypto.getRandomValues(new Uint8Array(8))]);
  return content === '[]' ? `["${Math.random()}"]` : content.replace('1', String(Math.random()));
}

/** As an image if containerd takes it for one; else as content alone. */
async function pullArtifact({ near }: Stage, name: string): Promise<void> {
  const { cri } = near;
  await cri
    .pullImage(name, AbortSignal.timeout(10_000))
    .catch(() =>
      near.exec(['ctr', '-n', 'k8s.io', 'content', 'fetch', '--hosts-dir', '/etc/containerd/certs.d', name]),
    );
}

const parallel = 8;
const layers = 20;

/** One holder and eight that ask at once. */
export const parallelRequests = nodeRow({
  row: 'L',
  rounds: 5,
  measure: async (stage, bench) => {
    const image = await stage.image(Array.from({ length: layers }, () => smallBytes));
    await stage.hold(image, [stage.near]);
    const address = { host: stage.asker.address, port: registryPort };
    const statuses: number[] = [];
    for (const digest of image.blobs.keys()) {
      if (digest === image.root.digest) continue;
      const paths = Array.from({ length: parallel }, () => blobPathOf(image, digest));
      statuses.push(...(await bench.client.bodies(address, paths)).map(({ status }) => status));
    }
    await stage.forget(image);
    return { refused: (100 * statuses.filter((status) => status !== 200).length) / statuses.length };
  },
  lines: [
    {
      figure: 'refused',
      what: '8 parallel requests for one key with one holder: not answered 200',
      unit: '%',
      mean: true,
      mark: { of: 'ours', atMost: 0 },
    },
  ],
});

const registryPort = 5000;
