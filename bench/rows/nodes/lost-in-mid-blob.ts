import { longestSilenceMs, measurePull, senderOf, untilReceived } from '../../nodes/measured-pull.ts';
import { nodeRow, pullLines } from '../../nodes/node-row.ts';
import { largestOf, megabit, megabyte } from '../../nodes/stage.ts';
import type { Stage } from '../../nodes/stage.ts';
import type { PlacedImage, NetnsNode } from '../../../testbed/index.ts';

const layerBytes = 100 * megabyte;
/** So slow that there is a middle. */
const holderRate = 400 * megabit;
const lostAfterBytes = 30 * megabyte;

async function holdSlowly(stage: Stage): Promise<PlacedImage> {
  const image = await stage.image([layerBytes]);
  const holders = [stage.near, stage.far];
  for (const node of holders) await node.setRate(undefined);
  await stage.hold(image, holders);
  for (const node of holders) await node.setRate(holderRate);
  return image;
}

async function untilMiddle({ asker, far, near }: Stage, digest: string): Promise<NetnsNode> {
  await untilReceived(asker, digest, lostAfterBytes);
  return senderOf([near, far]);
}

/** The sender is frozen: its kernel holds the connection, and no byte comes. */
export const frozenSender = nodeRow({
  row: 'C',
  rounds: 3,
  freshMirrors: true,
  measure: async (stage, { patienceMs }) => {
    const image = await holdSlowly(stage);
    const layer = largestOf(image);
    const state = { over: false };
    const pulling = measurePull(stage, image, patienceMs).finally(() => (state.over = true));
    const sender = await untilMiddle(stage, layer.digest);
    sender.mirror.freeze();
    try {
      const silenceMs = await longestSilenceMs(stage.asker, layer, () => state.over);
      return { ...(await pulling), silence: silenceMs / 1000 };
    } finally {
      sender.mirror.thaw();
      await stage.forget(image);
    }
  },
  lines: [
    {
      figure: 'silence',
      what: 'sender frozen in mid-blob, 100 MB: the longest time without a byte',
      unit: 's',
      mark: { of: 'ours', atMost: 4 },
    },
    ...pullLines('sender frozen in mid-blob, 100 MB', undefined, undefined),
  ],
});

/** The sender's process is killed, and the upstream is down. */
export const killedSender = nodeRow({
  row: 'F',
  rounds: 5,
  freshMirrors: true,
  measure: async (stage, { patienceMs }) => {
    const image = await holdSlowly(stage);
    await stage.upstream.cut('refused');
    try {
      const pulling = measurePull(stage, image, patienceMs);
      const sender = await untilMiddle(stage, largestOf(image).digest);
      await sender.mirror.kill();
      return { ...(await pulling) };
    } finally {
      await stage.upstream.restore();
      await stage.forget(image);
    }
  },
  lines: pullLines('sender killed in mid-blob, 100 MB, upstream down', undefined, undefined),
});
