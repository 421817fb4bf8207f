import { measurePull } from '../../nodes/measured-pull.ts';
import { nodeRow } from '../../nodes/node-row.ts';
import { largestOf, megabyte } from '../../nodes/stage.ts';

const layerBytes = 256 * megabyte;
const mebibyte = 1024 ** 2;

/** containerd fetches one layer in chunks, eight at once. */
export const parallelRanges = nodeRow({
  row: 'V',
  rounds: 20,
  setUp: async ({ asker, restartMirrors }) => {
    await asker.containerd.restart({ concurrentLayerFetchBufferBytes: 8 * mebibyte, maxConcurrentDownloads: 8 });
    // One that ends with its containerd is there again.
    await restartMirrors();
  },
  measure: async (stage, { patienceMs }) => {
    const image = await stage.image([layerBytes]);
    await stage.hold(image, [stage.near]);
    const before = await stage.asker.link.bytes();
    const pulled = await measurePull(stage, image, Math.max(patienceMs, 30_000));
    const after = await stage.asker.link.bytes();
    await stage.forget(image);
    const moved = (after.receivedBytes - before.receivedBytes) / largestOf(image).sizeBytes;
    return { ...pulled, moved: pulled.succeeded === 0 ? undefined : moved };
  },
  lines: [
    {
      figure: 'succeeded',
      what: 'parallel ranges, 8 MiB, 8 wide, a layer of 256 MB: pulls that succeed',
      unit: '%',
      mean: true,
      mark: { of: 'ours', atLeast: 100 },
    },
    {
      figure: 'moved',
      what: "the same: what the asker's cable received, of the layer",
      unit: 'x',
      mark: { of: 'ours', atMost: 1.05 },
    },
    { figure: 'seconds', what: 'the same: the pull', unit: 's', compared: true },
  ],
});
