import type { DriverName, Testbed, TestbedOptions } from './drivers/driver.ts';

/** A driver's parts are loaded when it is asked for. */
const drivers: Readonly<Record<DriverName, (options: TestbedOptions) => Promise<Testbed>>> = {
  process: async (options) => (await import('./drivers/process.ts')).startProcessTestbed(options),
  netns: async (options) => (await import('./drivers/netns.ts')).startNetnsTestbed(options),
};

/** Starts nodes with mirrors that know each other, and an upstream registry. What was begun is undone when it fails. */
export function createTestbed(options: TestbedOptions): Promise<Testbed> {
  return drivers[options.driver](options);
}
