import process from 'node:process';
import {
  createCriClient,
  createContainerdApi,
  createDigester,
  createRandom,
  createSystemClock,
  ociArchitecture,
} from '../transports/index.ts';
import { defaultLimits } from '../core/index.ts';
import { readBasicAuth } from './credentials.ts';
import { named } from './flag-table.ts';
import { criInTime } from './verify/cri-in-time.ts';
import type { Facts } from './verify/facts.ts';
import { gatherCanary } from './verify/gather-canary.ts';
import { gatherConfig, gatherContainerd, gatherContent, gatherLayers } from './verify/gather-containerd.ts';
import { gatherHosts } from './verify/gather-hosts.ts';
import { gatherMirror } from './verify/gather-mirror.ts';
import { judge } from './verify/judge.ts';
import { createMirrorClient } from './verify/mirror-client.ts';
import { pullImage } from './verify/pull-image.ts';
import { reading } from './verify/reading.ts';
import { isWell, renderJson, renderReport } from './verify/report.ts';
import type { ReportOptions } from './verify/report.ts';
import { verifyFlags } from './verify-flags.ts';
import type { VerifyOptions } from './verify-flags.ts';

export interface VerifyIo extends ReportOptions {
  readonly signal: AbortSignal;
  readonly writeOut: (text: string) => void;
}

/** Looks whether this node's containerd, its mirror and the cluster work together, and says so: 0 when nothing is wrong, else 1; 130 when it was stopped before. */
export async function verify(options: VerifyOptions, io: VerifyIo): Promise<number> {
  const facts = await gatherUnlessStopped(options, io.signal);
  if (facts === undefined) return 130;
  const checks = judge(facts, options);
  io.writeOut(options.json ? renderJson(checks) : renderReport(checks, io));
  return isWell(checks) ? 0 : 1;
}

/** Undefined: whoever asked does not want to know any more. */
async function gatherUnlessStopped(options: VerifyOptions, signal: AbortSignal): Promise<Facts | undefined> {
  try {
    return await gather(options, signal);
  } catch (error) {
    if (signal.aborted) return undefined;
    throw error;
  }
}

async function gather(options: VerifyOptions, signal: AbortSignal): Promise<Facts> {
  const limits = defaultLimits;
  const { basicAuthPath, contentPath } = options;
  const basicAuth = await named(verifyFlags.basicAuthPath, basicAuthPath, readBasicAuth(basicAuthPath));
  const clock = createSystemClock();
  const digester = createDigester();
  const cri = criInTime({ clock, cri: createCriClient(options) }, limits);
  const api = createContainerdApi({ clock }, { ...options, limits });
  const client = createMirrorClient({ ...options, basicAuth });
  const architecture = ociArchitecture(process.arch);
  try {
    const [containerd, hosts, mirror] = await Promise.all([
      gatherContainerd(cri, signal),
      gatherHosts(options.registryConfigPath, signal),
      gatherMirror(client, signal),
    ]);
    const isAnswering = containerd.type === 'read';
    const [config, content, layers] = await Promise.all([
      gatherConfig(cri, containerd, options, signal),
      // Who did not answer is not asked for more.
      isAnswering || contentPath !== undefined ? gatherContent(api, contentPath, signal) : containerd,
      isAnswering ? gatherLayers(api, signal) : containerd,
    ]);
    const isAnswered = isAnswering && mirror.mirror.type === 'read';
    const canary =
      options.canary && isAnswered
        ? await gatherCanary(
            { clock, random: createRandom(), digester, cri, api, client },
            { architecture, limits },
            signal,
          )
        : undefined;
    const { image: reference } = options;
    const image =
      reference === undefined
        ? undefined
        : await reading(signal, () => pullImage(client, reference, architecture, signal));
    return { containerd, hosts, ...mirror, config, content, layers, canary, image };
  } finally {
    cri.close();
    api.close();
    await digester.dispose();
  }
}
