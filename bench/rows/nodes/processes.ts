import { setTimeout as sleep } from 'node:timers/promises';
import { beginPull, untilReceived } from '../../nodes/measured-pull.ts';
import { blobPathOf } from '../../nodes/asking.ts';
import { standStill } from '../../nodes/standstill.ts';
import { nodeRow, pullLines } from '../../nodes/node-row.ts';
import { largestOf, megabit, megabyte } from '../../nodes/stage.ts';
import { memoryOf } from '../../programs/usage.ts';

/** All mirrors begin at once and know nobody. */
export const allAtOnce = nodeRow({
  row: 'U',
  rounds: 7,
  measure: async (stage) => {
    await Promise.all(stage.all.map(({ mirror }) => mirror.kill()));
    const sinceMs = performance.now();
    await stage.startMirrors();
    return { seconds: (performance.now() - sinceMs) / 1000 };
  },
  lines: [
    {
      figure: 'seconds',
      what: 'four mirrors start at once: until all are ready',
      unit: 's',
      compared: true,
      mark: { of: 'ours', atMost: 1 },
    },
  ],
});

const idleMs = 5000;
const gibibyte = 1024 ** 3;
const port = 5000;

/** What a node's memory is before and after it relayed much. */
export const memory = nodeRow({
  row: 'T',
  rounds: 1,
  measure: async (stage, bench) => {
    await sleep(idleMs);
    const pids = [stage.asker, stage.near].map(({ mirror }) => mirror.pid);
    const idle = Math.max(...pids.map((pid) => memoryOf(pid).rssMib));
    // Fetched by a client that keeps nothing: an image's layers would fill the memory that the stores are in.
    for (let round = 0; round < (bench.quick ? 1 : 10); round += 1) {
      const image = await stage.image([gibibyte]);
      await stage.hold(image, [stage.near]);
      const path = blobPathOf(image, largestOf(image).digest);
      await bench.client.body({ host: stage.asker.address, port }, path);
      await stage.forget(image);
    }
    const after = Math.max(...pids.map((pid) => memoryOf(pid).rssMib));
    const peak = Math.max(...pids.map((pid) => memoryOf(pid).peakMib));
    return { idle, after, peak };
  },
  lines: [
    { figure: 'idle', what: 'RSS, idle among four', unit: 'MiB', compared: true, mark: { of: 'ours', atMost: 110 } },
    { figure: 'after', what: 'RSS after 10 GiB', unit: 'MiB', compared: true, mark: { of: 'ours', atMost: 160 } },
    { figure: 'peak', what: 'the most it ever was', unit: 'MiB', compared: true },
  ],
  notes: ['the larger of holder and relaying node'],
});

const inspectorPort = 9229;

/** The own mirror is there and does nothing. */
export const standstill = nodeRow({
  row: 'W',
  rounds: 2,
  stage: { askerNodeArgs: [`--inspect=0.0.0.0:${inspectorPort}`] },
  freshMirrors: true,
  measure: async (stage, { patienceMs }) => {
    const ended: number[] = [];
    const pulls = [];
    for (const moment of ['before the head', 'in mid-body'] as const) {
      if (!stage.asker.hasMirror) await stage.restartMirrors();
      const image = await stage.image([100 * megabyte]);
      await stage.near.setRate(undefined);
      await stage.hold(image, [stage.near]);
      await stage.near.setRate(200 * megabit);
      const { asker, name } = stage;
      const freeze = (): Promise<void> =>
        name === 'ours' ? standStill(asker.address, inspectorPort) : Promise.resolve(asker.mirror.freeze());
      if (moment === 'before the head') await freeze();
      const pull = beginPull(stage, image, patienceMs);
      if (moment === 'in mid-body') {
        await untilReceived(asker, largestOf(image).digest, 20 * megabyte, pull);
        await freeze();
      }
      const sinceMs = performance.now();
      const end = asker.mirror.ended.then(() => (performance.now() - sinceMs) / 1000);
      ended.push(await Promise.race([end, sleep(patienceMs, patienceMs / 1000)]));
      pulls.push(await pull.outcome);
      if (asker.hasMirror) await asker.mirror.kill();
      await stage.forget(image);
    }
    return {
      ended: Math.max(...ended),
      succeeded: Math.min(...pulls.map(({ succeeded }) => succeeded)),
      seconds: Math.max(...pulls.map(({ seconds }) => seconds)),
    };
  },
  lines: [
    {
      figure: 'ended',
      what: 'the own mirror stands still, before the head or in mid-body: until its process has ended',
      unit: 's',
      mark: { of: 'ours', atMost: 5 },
    },
    ...pullLines('the own mirror stands still', undefined, undefined).slice(0, 2),
  ],
  notes: [
    'the main thread of ours runs in a loop; another mirror is stopped with SIGSTOP',
    'the worse of both moments',
  ],
});
