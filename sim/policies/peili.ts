import { SimMirror } from '../node/sim-mirror.ts';
import type { Policy } from './policy.ts';

/** The mirror that ships: `createMirror()` over simulated ports. */
export const peili: Policy = {
  name: 'peili',
  isOurs: true,
  inWorld: (parts) => ({
    createMirror: ({ host, limits, spec, store, wall }) =>
      new SimMirror({ ...parts, store, wall }, { host, kind: 'peili', limits, spec }),
    begin: () => {
      const { directory } = parts;
      for (const seat of directory.all()) for (const other of directory.all()) directory.meet(seat, other.self);
    },
  }),
};

/** Every node asks the upstream. */
export const noMirror: Policy = { name: 'noMirror', isOurs: false, inWorld: () => ({ createMirror: () => undefined }) };
