import { setTimeout as sleep } from 'node:timers/promises';
import { until } from '../../testbed/index.ts';
import type { NetnsNode, PlacedImage } from '../../testbed/index.ts';
import { sizeOf } from './stage.ts';
import type { Stage } from './stage.ts';

/** What came of a pull. */
export interface MeasuredPull {
  /** 100, or 0 when it failed or took longer than the patience. */
  readonly succeeded: number;
  /** The patience, where it did not succeed. */
  readonly seconds: number;
  /** Bytes that the upstream gave for it, of the image's bytes. */
  readonly fromUpstream: number;
}

/** The asker pulls. Never rejects: a pull that fails is a figure. */
export async function measurePull(
  { asker, upstream }: Pick<Stage, 'asker' | 'upstream'>,
  image: PlacedImage,
  patienceMs: number,
): Promise<MeasuredPull> {
  await upstream.resetCounts();
  const tookMs = await asker.pull(image.name, { timeoutMs: patienceMs }).then(
    (pulled) => pulled.tookMs,
    () => undefined,
  );
  return {
    succeeded: tookMs === undefined ? 0 : 100,
    seconds: (tookMs ?? patienceMs) / 1000,
    fromUpstream: (await upstream.bytesServed()) / sizeOf(image),
  };
}

/** A pull under way. */
export interface RunningPull {
  readonly outcome: Promise<MeasuredPull>;
  isOver(): boolean;
}

export function beginPull(stage: Stage, image: PlacedImage, patienceMs: number): RunningPull {
  const state = { over: false };
  const outcome = measurePull(stage, image, patienceMs).finally(() => {
    state.over = true;
  });
  return { outcome, isOver: () => state.over };
}

/** Some of the blob is on the node's disk, and not yet all; or the pull is over without it. */
export function untilReceived(
  { content, name }: NetnsNode,
  digest: string,
  bytes: number,
  { isOver }: RunningPull,
): Promise<void> {
  return until(
    `${bytes} bytes of ${digest} are on ${name}`,
    async () => isOver() || (await content.receivedBytes(digest)) >= bytes,
  );
}

const sampleMs = 100;
/** In a moment; less is not a blob on its way. */
const sendingBytes = 100_000;

/** Who of them sends, by what leaves their cables in a moment; undefined: nobody does. */
export async function senderOf(holders: readonly NetnsNode[]): Promise<NetnsNode | undefined> {
  const sent = (): Promise<number[]> => Promise.all(holders.map(async ({ link }) => (await link.bytes()).sentBytes));
  const before = await sent();
  await sleep(sampleMs);
  const grown = (await sent()).map((bytes, at) => bytes - (before[at] ?? 0));
  const most = Math.max(...grown);
  return most < sendingBytes ? undefined : holders[grown.indexOf(most)];
}

const lookMs = 10;

/** The longest time without a byte of the blob on the node's disk, from now until it is whole or the pull is over. */
export async function longestSilenceMs(
  { content }: NetnsNode,
  { digest, sizeBytes }: { readonly digest: string; readonly sizeBytes: number },
  { isOver }: RunningPull,
): Promise<number> {
  const state = { bytes: -1, sinceMs: performance.now(), longestMs: 0 };
  while (!isOver()) {
    const bytes = await content.receivedBytes(digest);
    const nowMs = performance.now();
    state.longestMs = Math.max(state.longestMs, nowMs - state.sinceMs);
    // It shrinks when it is begun again.
    if (bytes !== state.bytes) state.sinceMs = nowMs;
    state.bytes = bytes;
    if (bytes === sizeBytes) break;
    await sleep(lookMs);
  }
  return state.longestMs;
}
