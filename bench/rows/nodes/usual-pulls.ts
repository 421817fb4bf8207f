import { measurePull } from '../../nodes/measured-pull.ts';
import { nodeRow } from '../../nodes/node-row.ts';
import { megabyte } from '../../nodes/stage.ts';
import type { Stage } from '../../nodes/stage.ts';

const smallImage = Array.from({ length: 10 }, () => 100_000);

/** The upstream is as near as a peer: what the mirror itself costs. */
export const nearUpstream = nodeRow({
  row: 'M',
  rounds: 11,
  stage: { upstreamRate: undefined },
  // The last node's containerd is told of no mirror: it asks the upstream.
  setUp: async ({ all }) => {
    await all.at(-1)?.writeHosts([]);
  },
  measure: async (stage, { patienceMs }) => {
    const image = await stage.image(smallImage);
    await stage.hold(image, [stage.near]);
    const mirrored = await measurePull(stage, image, patienceMs);
    const direct = await measurePull({ asker: last(stage), upstream: stage.upstream }, image, patienceMs);
    await stage.forget(image);
    return { seconds: mirrored.seconds, direct: direct.seconds, over: mirrored.seconds / direct.seconds };
  },
  lines: [
    {
      figure: 'seconds',
      what: '10 x 100 KB, upstream near: through the mirror',
      unit: 's',
      compared: true,
      mark: { of: 'ours', atMost: 0.06 },
    },
    { figure: 'direct', what: 'the same image in the same round, without a mirror', unit: 's' },
    { figure: 'over', what: 'the first over the second', unit: 'x' },
  ],
});

function last({ all, asker }: Stage): Stage['asker'] {
  return all.at(-1) ?? asker;
}

/** A large layer that a peer has. */
export const largeLayer = nodeRow({
  row: 'N',
  rounds: 5,
  measure: async (stage, { patienceMs, quick }) => {
    const seconds: number[] = [];
    for (const sizeBytes of [100 * megabyte, (quick ? 200 : 1000) * megabyte]) {
      const image = await stage.image([sizeBytes]);
      await stage.hold(image, [stage.near]);
      const pulled = await measurePull(stage, image, Math.max(patienceMs, 60_000));
      if (pulled.succeeded === 0) throw new Error('a pull of a large layer failed');
      if (pulled.fromUpstream > 0) throw new Error('a large layer came from the upstream');
      seconds.push(pulled.seconds);
      await stage.forget(image);
    }
    const [hundred = Number.NaN, thousand = Number.NaN] = seconds;
    return { hundred, thousand };
  },
  lines: [
    {
      figure: 'hundred',
      what: 'a layer of 100 MB of a peer',
      unit: 's',
      compared: true,
      mark: { of: 'ratio', atMost: 1 },
    },
    {
      figure: 'thousand',
      what: 'a layer of 1 GB of a peer',
      unit: 's',
      compared: true,
      mark: { of: 'ratio', atMost: 1 },
    },
  ],
});
