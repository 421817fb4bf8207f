import { measurePull } from '../../nodes/measured-pull.ts';
import { nodeRow, pullLines } from '../../nodes/node-row.ts';
import type { FigureLine, NodeRow } from '../../nodes/node-row.ts';
import { megabyte } from '../../nodes/stage.ts';
import type { Stage } from '../../nodes/stage.ts';
import type { RowGroup } from '../row.ts';

/** Ten, so that a mirror which asks by chance meets the lost one too. */
const layers = 10;
const layerBytes = megabyte;

function lostBefore(
  row: NodeRow['row'],
  lose: (stage: Stage) => Promise<() => Promise<void>>,
  lines: readonly FigureLine[],
): RowGroup {
  return nodeRow({
    row,
    rounds: 5,
    freshMirrors: true,
    measure: async (stage, { patienceMs }) => {
      const image = await stage.image(Array.from({ length: layers }, () => layerBytes));
      await stage.hold(image, [stage.near, stage.far]);
      const find = await lose(stage);
      try {
        const pulled = await measurePull(stage, image, patienceMs);
        return { ...pulled, layersFromUpstream: await layersFromUpstream(stage, layerBytes) };
      } finally {
        await find();
        await stage.forget(image);
      }
    },
    lines,
    notes: ['the lost holder is in the zone of the asker; who knows no zones asks by chance'],
  });
}

/** Layers of which the upstream gave a byte. */
async function layersFromUpstream({ upstream }: Stage, atLeastBytes: number): Promise<number> {
  return [...(await upstream.counts()).values()].filter(({ bytes }) => bytes >= atLeastBytes / 100).length;
}

export const wedgedHolder = lostBefore(
  'D',
  ({ near }) => {
    near.mirror.freeze();
    return Promise.resolve(() => Promise.resolve(near.mirror.thaw()));
  },
  pullLines('a wedged peer is asked first, 10 x 1 MB', 1, 0),
);

export const vanishedHolder = lostBefore(
  'E',
  ({ near }) => near.dropTraffic('all'),
  pullLines('a vanished peer is asked first, 10 x 1 MB', 1.5, 0),
);

export const deadHolder = lostBefore(
  'G',
  async ({ near }) => {
    await near.mirror.kill();
    return () => Promise.resolve();
  },
  [
    {
      figure: 'layersFromUpstream',
      what: 'a dead and a live holder, 10 x 1 MB: layers fetched upstream all the same',
      unit: 'x',
      mean: true,
      mark: { of: 'ours', atMost: 0 },
    },
    ...pullLines('a dead and a live holder', undefined, undefined),
  ],
);
