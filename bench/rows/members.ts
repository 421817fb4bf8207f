import { setTimeout as sleep } from 'node:timers/promises';
import { defaultLimits } from '../../core/index.ts';
import { writeSmallContent } from '../content.ts';
import { oursName } from '../measurement.ts';
import type { Line, Mark, Unit } from '../measurement.ts';
import { startMirror, untilReady } from '../programs/mirror.ts';
import { until } from '../programs/program.ts';
import { cpuSecondsOf, memoryOf } from '../programs/usage.ts';
import { startWorker } from '../programs/worker.ts';
import { summarize } from '../statistics.ts';
import type { RowGroup } from './row.ts';

const members = 400;
const keys = 3000;
const images = 30;
/** Manifest, config and tag of an image are keys as well. */
const layersPerImage = keys / images - 2;
const keysPerMember = Math.round((keys * defaultLimits.routingReplicas) / members);
const minuteSeconds = 60;
const settleMs = 5000;

interface Progress {
  readonly told: number;
  readonly keysTold: number;
  readonly answered: number;
  readonly members: number;
  readonly introducer: string;
}

/** One real node in a large cluster of light stand-ins. */
export const manyMembers: RowGroup = {
  rows: ['members'],
  measure: async (bench) => {
    const [ours] = bench.mirrors;
    if (ours === undefined) return [];
    const others = members - 1;
    const worker = startWorker('stand-ins.ts', [others, keysPerMember]);
    bench.onEnd(worker.stop);
    const progress = async (): Promise<Progress> => (await worker.next('progress')) as Progress; // As stand-ins.ts sends it.
    const layout = await bench.layout('node');
    for (let image = 0; image < images; image += 1) await writeSmallContent(layout, `${image}`, layersPerImage, 64);
    const everyMs = 250;
    await until('the stand-ins have met', async () => (await progress()).members >= others - 1, {
      everyMs,
      timeoutMs: 120_000,
    });

    const [, host = '', port = ''] = /^\/ip4\/([\d.]+)\/tcp\/(\d+)/.exec((await progress()).introducer) ?? [];
    const node = await startMirror(ours, { store: layout.directory, bootstrap: [{ host, port: Number(port) }] });
    bench.onEnd(node.program.stop);
    const { pid, startedMs } = node.program;
    const since = (): number => (performance.now() - startedMs) / 1000;
    await untilReady(node, '/readyz');
    const readySeconds = since();
    const readyCpu = cpuSecondsOf(pid);
    await until('everybody was told', async () => (await progress()).told >= others, {
      everyMs: 50,
      timeoutMs: 120_000,
    });
    const toldSeconds = since();
    const tellingCpu = cpuSecondsOf(pid) - readyCpu;
    await until('everybody has answered', async () => (await progress()).answered >= others, {
      everyMs,
      timeoutMs: 120_000,
    });
    await sleep(settleMs);
    const seconds = bench.quick ? minuteSeconds / 6 : minuteSeconds;
    const steadyCpu = cpuSecondsOf(pid);
    await sleep(seconds * 1000);
    const steadyPercent = ((cpuSecondsOf(pid) - steadyCpu) / seconds) * 100;
    const tellingPercent = (tellingCpu / (defaultLimits.advertiseIntervalUs / 1e6)) * 100;
    const memory = memoryOf(pid);
    bench.say(
      `members: ${(await progress()).keysTold} records were told; ${tellingCpu.toFixed(2)} CPU s for it, ${steadyPercent.toFixed(2)} % steady`,
    );
    const notes = [
      `${others} stand-ins: real libp2p hosts in one process that speak the records protocol, take what they are told and say their share (${keysPerMember} keys) once in an interval; they have no mirror`,
      `CPU: a measured minute in which nobody is told anything again but the members whose turn it is say theirs, and to it what telling everybody once cost (connections included) spread over the interval of ${defaultLimits.advertiseIntervalUs / 60e6} min`,
    ];
    const line = (what: string, unit: Unit, value: number, mark?: Mark): Line => ({
      row: 'members',
      what,
      unit,
      subjects: [{ name: oursName, summary: summarize([value]) }],
      ...(mark === undefined ? {} : { mark }),
      notes,
    });
    return [
      line(`RSS among ${members} members with ${keys} keys each`, 'MiB', memory.rssMib, { of: 'ours', atMost: 170 }),
      line('the most it ever was', 'MiB', memory.peakMib),
      line('membership and advertising, of one core', '%', steadyPercent + tellingPercent, { of: 'ours', atMost: 1 }),
      line('from its start to ready', 's', readySeconds, { of: 'ours', atMost: 2 }),
      line('from its start until everybody was told', 's', toldSeconds),
    ];
  },
};
