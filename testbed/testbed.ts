import type { FoundTestbed } from './docker/sweep.ts';
import type { DriverName, Testbed, TestbedOptions } from './drivers/driver.ts';

/** A driver's parts are loaded when it is asked for. */
const drivers: Readonly<Record<DriverName, (options: TestbedOptions) => Promise<Testbed>>> = {
  process: async (options) => (await import('./drivers/process.ts')).startProcessTestbed(options),
  netns: async (options) => (await import('./drivers/netns.ts')).startNetnsTestbed(options),
  docker: async (options) => (await import('./drivers/docker.ts')).startDockerTestbed(options),
  kind: async (options) => (await import('./drivers/kind.ts')).startKindTestbed(options),
};

/** Starts nodes with mirrors that know each other, and an upstream registry. What was begun is undone when it fails. */
export function createTestbed(options: TestbedOptions): Promise<Testbed> {
  return drivers[options.driver](options);
}

/** Testbeds of containers that are there, this machine's whole. */
export async function listTestbeds(): Promise<readonly FoundTestbed[]> {
  const [{ listContainerTestbeds }, { listKindTestbeds }] = await Promise.all([
    import('./docker/sweep.ts'),
    import('./kind/kind-cluster.ts'),
  ]);
  // Where there is no kind, there is none of it.
  return [...(await listContainerTestbeds()), ...(await listKindTestbeds().catch(() => []))];
}

/** Removes one, whoever made it. */
export async function removeTestbed({ name, driver }: FoundTestbed): Promise<void> {
  if (driver === 'kind') await (await import('./kind/kind-cluster.ts')).removeKindTestbed(name);
  else await (await import('./docker/sweep.ts')).removeContainerTestbed(name);
}
