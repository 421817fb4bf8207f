import { beginPull, longestSilenceMs, senderOf, untilReceived } from '../../nodes/measured-pull.ts';
import type { RunningPull } from '../../nodes/measured-pull.ts';
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

interface Scene {
  readonly image: PlacedImage;
  readonly layer: { readonly digest: string; readonly sizeBytes: number };
  readonly pull: RunningPull;
  readonly sender: NetnsNode;
}

const scenesMax = 5;

/** A blob of which a holder has sent some. A mirror may also ask the upstream in the first place: then another image is tried. */
async function openScene(stage: Stage, patienceMs: number): Promise<Scene> {
  const { asker, far, near } = stage;
  for (let scene = 0; scene < scenesMax; scene += 1) {
    const image = await holdSlowly(stage);
    const layer = largestOf(image);
    const pull = beginPull(stage, image, patienceMs);
    await untilReceived(asker, layer.digest, lostAfterBytes, pull);
    const sender = await senderOf([near, far]);
    if (sender !== undefined && !pull.isOver()) return { image, layer, pull, sender };
    await pull.outcome;
    await stage.forget(image);
  }
  throw new Error(`no holder was asked for the layer in ${scenesMax} pulls`);
}

/** The sender is frozen: its kernel holds the connection, and no byte comes. */
export const frozenSender = nodeRow({
  row: 'C',
  rounds: 3,
  freshMirrors: true,
  measure: async (stage, { patienceMs }) => {
    const { image, layer, pull, sender } = await openScene(stage, patienceMs);
    sender.mirror.freeze();
    try {
      const silenceMs = await longestSilenceMs(stage.asker, layer, pull);
      return { ...(await pull.outcome), silence: silenceMs / 1000 };
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
    const { image, pull, sender } = await openScene(stage, patienceMs);
    try {
      await Promise.all([stage.upstream.cut('refused'), sender.mirror.kill()]);
      return { ...(await pull.outcome) };
    } finally {
      await stage.upstream.restore();
      await stage.forget(image);
    }
  },
  lines: pullLines('sender killed in mid-blob, 100 MB, upstream down', undefined, undefined),
});
