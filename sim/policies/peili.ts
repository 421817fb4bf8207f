import { SimMirror } from '../node/sim-mirror.ts';
import type { Policy } from './policy.ts';

/** The mirror that ships: `createMirror()` over simulated ports. */
export const peili: Policy = {
  name: 'peili',
  isOurs: true,
  inWorld: (parts) => ({
    createMirror: ({ buggifyIn64, host, limits, spec, store, wall }) =>
      new SimMirror({ ...parts, store, wall }, { host, kind: 'peili', limits, spec, buggifyIn64 }),
    begin: () => {
      parts.directory.acquaint();
    },
  }),
};

/** Every node asks the upstream. */
export const noMirror: Policy = { name: 'noMirror', isOurs: false, inWorld: () => ({ createMirror: () => undefined }) };
