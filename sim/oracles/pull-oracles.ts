import { liarsOf } from './lies.ts';
import type { OracleFactory } from './oracle.ts';
import type { SeenPull } from './seen.ts';

/** S4: a request from a mirror is never forwarded, and no mirror asks itself. */
export const nothingIsForwarded: OracleFactory = ({ seen, violate }) => ({
  on: {
    request: ({ from, to }) => {
      if (from.role === 'mirror' && from.host === to.host) violate(`${from.host.name} asks itself`);
    },
    'mirror-pull': ({ event, node }) => {
      if (event.type !== 'attempt' || event.source === 'local' || seen.pull?.start.mirrored !== true) return;
      violate(`${node} forwards what another mirror asked for: ${seen.pull.start.key}`);
    },
  },
});

/** S5: attempts without a byte between them are bounded. */
export const attemptsAreBounded: OracleFactory = ({ seen, violate, world }) => {
  // Attempts that were under way when bytes came count from there on.
  const boundTimes = 2 * world.limits.attemptsMax;
  return {
    on: {
      'mirror-pull': ({ event, node }) => {
        const { pull } = seen;
        if (event.type !== 'attempt' || pull === undefined || pull.attemptsInVain <= boundTimes) return;
        violate(`${node} attempts ${pull.start.key} for the ${pull.attemptsInVain}th time in vain`);
      },
    },
  };
};

/** L3, L6: a stall is borne once. After it each other source is asked once for the byte that did not come, and then the client is let go elsewhere. */
export const stallsAreBorneOnce: OracleFactory = ({ scenario, seen, violate }) => {
  // Who remembers next to nothing forgets who it was.
  const isJudged = scenario.limits?.failureMemoryMax === undefined;
  const askedSince = new Map<SeenPull, Set<string>>();
  return {
    on: {
      'mirror-pull': ({ event, node }) => {
        const { pull } = seen;
        if (pull === undefined || !isJudged) return;
        if (event.type === 'stall') askedSince.set(pull, new Set([event.source]));
        if (event.type === 'head' || event.type === 'end') askedSince.delete(pull);
        const asked = askedSince.get(pull);
        if (event.type !== 'attempt' || asked === undefined) return;
        if (asked.has(event.source) && seen.node(node)?.hasStoodStill !== true)
          violate(`${node} asks ${event.source} again for the byte at ${event.from}, which it waited for`);
        asked.add(event.source);
      },
    },
  };
};

/** S6: an attempt at a HEAD or a manifest ends in time, by an answer or without. Windows of blobs are asked for ahead, and bounded by progress. */
export const headsAreBounded: OracleFactory = ({ seen, violate, world }) => {
  const { manifestTimeoutUs, peerHeadTimeoutUs } = world.limits;
  return {
    on: {
      'mirror-pull': ({ event, node }) => {
        if ((event.type !== 'head' && event.type !== 'attempt-failed') || seen.pull === undefined) return;
        const { method, resource } = seen.pull.start;
        if (method !== 'HEAD' && resource !== 'manifest') return;
        const boundUs = method === 'HEAD' ? peerHeadTimeoutUs : manifestTimeoutUs;
        if (event.tookUs > boundUs && seen.node(node)?.hasStoodStill !== true) {
          violate(`${node} waited ${event.tookUs} us for a head from ${event.source}, at most ${boundUs}`);
        }
      },
    },
  };
};

/** S14: the bytes that a pull's story tells of are those that were sent. */
export const storiesAddUp: OracleFactory = ({ seen, violate }) => ({
  on: {
    'mirror-pull': ({ event, node }) => {
      const { pull } = seen;
      if (event.type !== 'end' || event.reason !== 'complete' || pull === undefined) return;
      const { bytes, start } = pull;
      const isBody = start.method !== 'HEAD' && (event.status === 200 || event.status === 206);
      // A part of a manifest is cut from the whole one, which is read and checked before it.
      const isCutFromMore = start.resource === 'manifest' && start.range !== undefined;
      const areTold = isCutFromMore ? bytes >= event.bytes : bytes === event.bytes;
      if (isBody && !areTold) violate(`${node} sent ${event.bytes} bytes of ${start.key}, and tells of ${bytes}`);
    },
  },
});

/** No honest source is ever named a liar. */
export const nobodyIsSlandered: OracleFactory = ({ scenario, violate, world }) => {
  const liars = liarsOf(scenario);
  return {
    on: {
      'mirror-pull': ({ event, node }) => {
        if (event.type !== 'liar') return;
        const { source } = event;
        const name = source === 'local' ? node : (world.directory.find(source)?.party.host.name ?? source);
        if (!liars.has(name)) violate(`${node} names ${source} a liar, which is honest`);
      },
    },
  };
};
