import { defaultContainerdOptions, reopeningsMax } from '../containerd/containerd-options.ts';
import type { World } from '../run/world.ts';
import type { Fault } from '../faults/fault.ts';
import type { HealSpec, PullSpec, Scenario } from '../scenario/scenario.ts';
import { isTagForged, liarsOf } from './lies.ts';
import type { OracleFactory } from './oracle.ts';
import { silenceBoundUs } from './world-oracles.ts';

/**
 * Row 14: in a core that has been healed (its nodes and the upstream are well, all else stays broken) each pull ends within a computed time: what was stuck when
 * it was healed, and what begins later, which succeeds too.
 */
export const coreRecovers: OracleFactory = ({ scenario, violate, world }) => {
  const { heal } = scenario;
  if (heal === undefined) return {};
  const isLying = liarsOf(scenario).size > 0 || isTagForged(scenario);
  const open = new Map<number, { readonly node: string; readonly dueUs: number; readonly beganUs: number }>();
  const check = (nowUs: number): void => {
    for (const [pull, { dueUs, node }] of open) {
      if (nowUs <= dueUs) continue;
      open.delete(pull);
      violate(`the pull of ${node} in the healed core has not ended ${nowUs - heal.atUs} us after it was healed`);
    }
  };
  return {
    onEvent: (event) => {
      check(event.atUs);
      if (event.type === 'pull-begin') {
        const spec = scenario.workload[event.pull];
        if (spec === undefined || !heal.core.includes(spec.node)) return;
        const dueUs = Math.max(event.atUs, heal.atUs) + recoveryBoundUs(scenario, heal, spec, world);
        open.set(event.pull, { node: event.node, dueUs, beganUs: event.atUs });
      }
      if (event.type !== 'pull-end') return;
      const pull = open.get(event.pull);
      open.delete(event.pull);
      if (pull === undefined || pull.beganUs < heal.atUs || event.outcome === 'ok' || isLying) return;
      violate(`the pull of ${event.node} in the healed core failed (${event.outcome})`);
    },
    atEnd: () => {
      check(world.kernel.nowUs());
    },
  };
};

/** Requests of a layer come side by side; those of the index, the manifest and the config before them. */
const stepsBeforeLayers = 4;

/**
 * Of one pull: at each of its steps a body may be cut as often as containerd bears, and each time be waited for as long as any silence may last; its bytes come at the rate of
 * the slowest part, shared by all pulls there are; a body from the upstream that stalled before the healing is given up by containerd's own timer; all of that
 * once more for each retry.
 */
export function recoveryBoundUs(scenario: Scenario, { atUs }: HealSpec, pull: PullSpec, { limits }: World): number {
  const { cluster, faults, images, upstream, workload } = scenario;
  const { downloadsAtOnce, progressTimeoutUs } = defaultContainerdOptions;
  const layers = images.find(({ name }) => name === pull.image)?.layerBytes ?? [];
  const steps = stepsBeforeLayers + Math.ceil(layers.length / downloadsAtOnce);
  const waitsUs = steps * (reopeningsMax + 1) * silenceBoundUs(limits);
  const stalledUs = faults.some((fault) => fault.target === 'upstream' && fault.atUs < atUs) ? progressTimeoutUs : 0;
  const bytes = layers.reduce((sum, layer) => sum + layer, 0) * workload.length;
  const rates = [cluster.upBytesPerSecond, cluster.downBytesPerSecond, upstream.bytesPerSecond, ...faults.map(rateOf)];
  const transferUs = Math.ceil((bytes / Math.min(...rates)) * 1_000_000);
  return ((pull.retries ?? 0) + 1) * (waitsUs + stalledUs + transferUs + 1_000_000);
}

/** Where the only source is slow, but sends, it is read on (design, decision 3). */
function rateOf({ what }: Fault): number {
  if (what.kind === 'rate') return what.bytesPerSecond;
  return what.kind === 'http' && what.fault.kind === 'trickle' ? what.fault.bytesPerSecond : Infinity;
}

/** S10: what a mirror that lets go of everything held: bodies of its store, its place among the members, its ear for what others send. */
export const nothingIsHeld: OracleFactory = ({ violate, world }) => ({
  atRest: () => {
    // What is still asked for is still read.
    if ([...world.wire.open()].length > 0) return;
    for (const { mirror, name, store } of world.nodes) {
      if (mirror === undefined || mirror.party.life.isOver || mirror.party.life.isPaused) continue;
      if (store.pending() > 0) violate(`${name} has let go of everything, and reads ${store.pending()} files`);
      const listeners = mirror.seat?.listeners.size ?? 0;
      if (listeners > 0) violate(`${name} has let go of everything, and ${listeners} of its parts watch members`);
      if (mirror.seat?.handler !== undefined)
        violate(`${name} has let go of everything, and answers others' calls about records`);
    }
  },
});
