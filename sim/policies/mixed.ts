import type { Policy, PolicyInWorld } from './policy.ts';

/** Each node by a policy of its own: a cluster on its way from one to the other, or in which two teams have their way. */
export function mixed(name: string, policyOf: (node: number) => Policy): Policy {
  return {
    name,
    isOurs: false,
    inWorld: (parts) => {
      const worlds = new Map<Policy, PolicyInWorld>();
      return {
        createMirror: (place) => {
          const policy = policyOf(place.index);
          const world = worlds.get(policy) ?? policy.inWorld(parts);
          worlds.set(policy, world);
          return world.createMirror(place);
        },
        begin: () => {
          for (const world of worlds.values()) world.begin?.();
        },
      };
    },
  };
}
