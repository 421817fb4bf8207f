import { open } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { until } from '../../../testbed/index.ts';
import type { NetnsNode, PlacedImage } from '../../../testbed/index.ts';
import { measurePull } from '../../nodes/measured-pull.ts';
import { nodeRow } from '../../nodes/node-row.ts';
import { largestOf, megabyte } from '../../nodes/stage.ts';

const layerBytes = 10 * megabyte;
const secondTryAfterMs = 1000;
const withdrawnWithinMs = 5000;

async function flipByte({ content }: NetnsNode, digest: string, at: number): Promise<void> {
  const file = await open(content.blobPath(digest), 'r+');
  try {
    const byte = new Uint8Array(1);
    await file.read(byte, 0, 1, at);
    await file.write(Uint8Array.of(0xff ^ (byte[0] ?? 0)), 0, 1, at);
  } finally {
    await file.close();
  }
}

/** Asked as a mirror asks, so that it answers for itself. */
async function isWithdrawn({ registryUrl }: NetnsNode, image: PlacedImage, digest: string): Promise<boolean> {
  const url = `${registryUrl}/v2/${image.repository}/blobs/${digest}?ns=${image.registry}`;
  const headers = { 'x-spegel-mirrored': 'true' };
  const { status } = await fetch(url, { method: 'HEAD', headers, signal: AbortSignal.timeout(1000) });
  return status === 404;
}

/** One byte is wrong at the only holder; the upstream is fine. */
export const wrongByte = nodeRow({
  row: 'H',
  rounds: 3,
  freshMirrors: true,
  measure: async (stage, { patienceMs }) => {
    const image = await stage.image([layerBytes]);
    const { digest } = largestOf(image);
    await stage.hold(image, [stage.near]);
    await flipByte(stage.near, digest, layerBytes / 2);
    const first = await measurePull(stage, image, patienceMs);
    const pulled =
      first.succeeded > 0 ? first : await sleep(secondTryAfterMs).then(() => measurePull(stage, image, patienceMs));
    const withdrawn = await until('', () => isWithdrawn(stage.near, image, digest), withdrawnWithinMs).then(
      () => 100,
      () => 0,
    );
    await stage.forget(image);
    return { succeeded: pulled.succeeded, atOnce: first.succeeded, withdrawn };
  },
  lines: [
    {
      figure: 'succeeded',
      what: 'one flipped byte at the only holder: pulls that succeed on a second try 1 s later',
      unit: '%',
      mean: true,
      mark: { of: 'ours', atLeast: 100 },
    },
    { figure: 'atOnce', what: 'the same: on the first try', unit: '%', mean: true },
    {
      figure: 'withdrawn',
      what: 'the same: holders that no longer give the file',
      unit: '%',
      mean: true,
      mark: { of: 'ours', atLeast: 100 },
    },
  ],
});
