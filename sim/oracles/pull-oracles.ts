import type { PullEvent } from '../../core/index.ts';
import { liarsOf } from './lies.ts';
import type { OracleFactory } from './oracle.ts';

interface SeenPull {
  readonly start: PullEvent & { readonly type: 'start' };
  bytes: number;
  attemptsInVain: number;
  attemptedFrom: number;
}

/** What is known of every request that a mirror works on. */
function seenPulls() {
  const pulls = new Map<string, SeenPull>();
  return (node: string, event: PullEvent): SeenPull | undefined => {
    const key = `${node} ${event.pullId}`;
    if (event.type === 'start') pulls.set(key, { start: event, bytes: 0, attemptsInVain: 0, attemptedFrom: 0 });
    const pull = pulls.get(key);
    if (event.type === 'end') pulls.delete(key);
    return pull;
  };
}

/** S4: a request from a mirror is never forwarded, and no mirror asks itself. */
export const nothingIsForwarded: OracleFactory = ({ violate }) => {
  const seen = seenPulls();
  return {
    onEvent: (event) => {
      if (event.type === 'request' && event.from.role === 'mirror' && event.from.host === event.to.host) {
        violate(`${event.from.host.name} asks itself`);
      }
      if (event.type !== 'mirror-pull') return;
      const pull = seen(event.node, event.event);
      const isForwarded =
        event.event.type === 'attempt' && event.event.source !== 'local' && pull?.start.mirrored === true;
      if (isForwarded) violate(`${event.node} forwards what another mirror asked for: ${pull?.start.key}`);
    },
  };
};

/** S5: attempts without a byte between them are bounded. */
export const attemptsAreBounded: OracleFactory = ({ violate, world }) => {
  const seen = seenPulls();
  const { attemptsMax } = world.limits;
  return {
    onEvent: (event) => {
      if (event.type !== 'mirror-pull') return;
      const pull = seen(event.node, event.event);
      if (pull === undefined) return;
      if (event.event.type === 'bytes' && event.event.to > event.event.from) pull.attemptsInVain = 0;
      if (event.event.type !== 'attempt') return;
      // A run of bytes is told when it ends; before that the next window, which begins where the last one has come to, shows that they flow.
      if (event.event.from > pull.attemptedFrom) pull.attemptsInVain = 0;
      pull.attemptedFrom = Math.max(pull.attemptedFrom, event.event.from);
      pull.attemptsInVain += 1;
      // Attempts that were under way when bytes came count from there on.
      if (pull.attemptsInVain > 2 * attemptsMax)
        violate(`${event.node} attempts ${pull.start.key} for the ${pull.attemptsInVain}th time in vain`);
    },
  };
};

/** L3, L6: a stall is borne once. After it each other source is asked once for the byte that did not come, and then the client is let go elsewhere. */
export const stallsAreBorneOnce: OracleFactory = ({ violate }) => {
  const askedSince = new Map<string, Set<string>>();
  return {
    onEvent: (event) => {
      if (event.type !== 'mirror-pull') return;
      const { event: step, node } = event;
      const id = `${node} ${step.pullId}`;
      if (step.type === 'stall') askedSince.set(id, new Set([step.source]));
      if (step.type === 'head' || step.type === 'end') askedSince.delete(id);
      const asked = askedSince.get(id);
      if (step.type !== 'attempt' || asked === undefined) return;
      if (asked.has(step.source))
        violate(`${node} asks ${step.source} again for the byte at ${step.from}, which it waited for`);
      asked.add(step.source);
    },
  };
};

/** S6: an attempt at a HEAD or a manifest ends in time, by an answer or without. Windows of blobs are asked for ahead, and bounded by progress. */
export const headsAreBounded: OracleFactory = ({ violate, world }) => {
  const seen = seenPulls();
  const { manifestTimeoutUs, peerHeadTimeoutUs } = world.limits;
  return {
    onEvent: (event) => {
      if (event.type !== 'mirror-pull') return;
      const pull = seen(event.node, event.event);
      if (pull === undefined || (event.event.type !== 'head' && event.event.type !== 'attempt-failed')) return;
      const { method, resource } = pull.start;
      if (method !== 'HEAD' && resource !== 'manifest') return;
      const boundUs = method === 'HEAD' ? peerHeadTimeoutUs : manifestTimeoutUs;
      if (event.event.tookUs > boundUs && !wasPaused(world, event.node)) {
        violate(
          `${event.node} waited ${event.event.tookUs} us for a head from ${event.event.source}, at most ${boundUs}`,
        );
      }
    },
  };
};

function wasPaused(
  world: { readonly nodes: readonly { readonly name: string; readonly hasStoodStill: boolean }[] },
  name: string,
): boolean {
  return world.nodes.some((node) => node.name === name && node.hasStoodStill);
}

/** S14: the bytes that a pull's story tells of are those that were sent. */
export const storiesAddUp: OracleFactory = ({ violate }) => {
  const seen = seenPulls();
  return {
    onEvent: (event) => {
      if (event.type !== 'mirror-pull') return;
      const pull = seen(event.node, event.event);
      if (pull === undefined) return;
      if (event.event.type === 'bytes') pull.bytes += event.event.to - event.event.from;
      if (event.event.type !== 'end' || event.event.reason !== 'complete' || pull.start.method === 'HEAD') return;
      const isBody = event.event.status === 200 || event.event.status === 206;
      // A part of a manifest is cut from the whole one, which is read and checked before it.
      const isCutFromMore = pull.start.resource === 'manifest' && pull.start.range !== undefined;
      const areTold = isCutFromMore ? pull.bytes >= event.event.bytes : pull.bytes === event.event.bytes;
      if (isBody && !areTold) {
        violate(`${event.node} sent ${event.event.bytes} bytes of ${pull.start.key}, and tells of ${pull.bytes}`);
      }
    },
  };
};

/** No honest source is ever named a liar. */
export const nobodyIsSlandered: OracleFactory = ({ scenario, violate, world }) => {
  const liars = liarsOf(scenario);
  return {
    onEvent: (event) => {
      if (event.type !== 'mirror-pull' || event.event.type !== 'liar') return;
      const { source } = event.event;
      const name = source === 'local' ? event.node : (world.directory.find(source)?.party.host.name ?? source);
      if (!liars.has(name)) violate(`${event.node} names ${source} a liar, which is honest`);
    },
  };
};
