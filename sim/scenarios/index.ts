import { cloudRegistry } from './cloud-registry.ts';
import { coldStart1000 } from './cold-start-1000.ts';
import { coldStart } from './cold-start.ts';
import { containerdFiveMinutes } from './containerd-five-minutes.ts';
import { daemonsetWaves } from './daemonset-waves.ts';
import { firstHolderMelts } from './first-holder-melts.ts';
import { halfRestarts } from './half-restarts.ts';
import { holderStalls } from './holder-stalls.ts';
import { holderTrickles } from './holder-trickles.ts';
import { hugeLayer } from './huge-layer.ts';
import { liar } from './liar.ts';
import { mirrorsRestart } from './mirrors-restart.ts';
import { mixedWithSpegel } from './mixed-with-spegel.ts';
import { nodeJoinsEmpty } from './node-joins-empty.ts';
import { nodesJoin } from './nodes-join.ts';
import { registryDown } from './registry-down.ts';
import { registryRateLimits } from './registry-rate-limits.ts';
import { rollingUpdate } from './rolling-update.ts';
import { secondWave } from './second-wave.ts';
import { sharedBase } from './shared-base.ts';
import { slowDisk } from './slow-disk.ts';
import { smallArtifacts } from './small-artifacts.ts';
import { spegelEndlessWait } from './spegel-endless-wait.ts';
import { spegelResumeFromZero } from './spegel-resume-from-zero.ts';
import { spotNodes } from './spot-nodes.ts';
import { staleTags } from './stale-tags.ts';
import { tagMoves } from './tag-moves.ts';
import { zoneCut } from './zone-cut.ts';
import { zoneLost } from './zone-lost.ts';

/** A scenario that comes with the program: a short file of YAML. */
export interface NamedScenario {
  readonly name: string;
  readonly text: string;
}

/** All of them, as they are listed. */
export const namedScenarios: readonly NamedScenario[] = Object.entries({
  'cold-start': coldStart,
  'cold-start-1000': coldStart1000,
  'second-wave': secondWave,
  'rolling-update': rollingUpdate,
  'daemonset-waves': daemonsetWaves,
  'nodes-join': nodesJoin,
  'node-joins-empty': nodeJoinsEmpty,
  'holder-stalls': holderStalls,
  'holder-trickles': holderTrickles,
  liar,
  'registry-down': registryDown,
  'registry-rate-limits': registryRateLimits,
  'mirrors-restart': mirrorsRestart,
  'half-restarts': halfRestarts,
  'spot-nodes': spotNodes,
  'zone-cut': zoneCut,
  'zone-lost': zoneLost,
  'huge-layer': hugeLayer,
  'small-artifacts': smallArtifacts,
  'containerd-five-minutes': containerdFiveMinutes,
  'mixed-with-spegel': mixedWithSpegel,
  'first-holder-melts': firstHolderMelts,
  'spegel-endless-wait': spegelEndlessWait,
  'spegel-resume-from-zero': spegelResumeFromZero,
  'cloud-registry': cloudRegistry,
  'tag-moves': tagMoves,
  'stale-tags': staleTags,
  'slow-disk': slowDisk,
  'shared-base': sharedBase,
}).map(([name, text]) => ({ name, text: text.trimStart() }));

export function findScenario(name: string): NamedScenario | undefined {
  return namedScenarios.find((scenario) => scenario.name === name);
}
