import { join } from 'node:path';
import process from 'node:process';
import { test } from 'node:test';
import { createTestbed, driverNames } from '../../testbed/index.ts';
import type { DriverName, Testbed } from '../../testbed/index.ts';
import { deploymentLaws } from './deployment-laws.ts';
import { faultLaws } from './fault-laws.ts';
import { openScene } from './law.ts';
import type { Law } from './law.ts';
import { podLaws } from './pod-laws.ts';
import { pullLaws } from './pull-laws.ts';

const laws: readonly Law[] = [...pullLaws, ...faultLaws, ...podLaws, ...deploymentLaws];
const lawTimeoutMs = 10 * 60_000;

/** `npm run e2e -- --driver netns` says so. */
function wantedDriver(): DriverName {
  const wanted = process.env['PEILI_DRIVER'] || 'process';
  const driver = driverNames.find((name) => name === wanted);
  if (driver === undefined) throw new TypeError(`there is no testbed "${wanted}": ${driverNames.join(', ')}`);
  return driver;
}

function lackOf({ lacks }: Testbed, { needs = [] }: Law): string | undefined {
  const missing = needs.find((ability) => lacks[ability] !== undefined);
  return missing === undefined ? undefined : `${missing}: ${lacks[missing]}`;
}

const driver = wantedDriver();
const filter = new RegExp(process.env['PEILI_FILTER'] ?? '');
const need = process.env['PEILI_NEED'] ?? '';

/** Where a need is named, testbeds that cost less prove the other laws, and what takes minutes is left to who asks for this one. */
function isWanted({ name, needs = [], isLong }: Law): boolean {
  return filter.test(name) && (need === '' || (isLong !== true && needs.some((each) => each === need)));
}

test(`laws on ${driver}`, { timeout: 30 * 60_000 }, async (context) => {
  const testbed = await createTestbed({ driver, nodes: 3 });
  context.after(() => testbed.dispose());
  const scene = openScene(testbed);
  for (const law of laws) {
    if (!isWanted(law)) continue;
    const lack = lackOf(testbed, law);
    // Not a skipped law: no installation could make it run here.
    if (lack !== undefined) {
      context.diagnostic(`not here (${lack}): ${law.name}`);
      continue;
    }
    await context.test(law.name, { timeout: lawTimeoutMs }, async () => {
      try {
        await law.prove(scene);
      } catch (error) {
        const folder = process.env['PEILI_TESTBED_LOGS'];
        if (folder !== undefined) await testbed.collect(join(folder, driver));
        throw error;
      } finally {
        await testbed.mend();
      }
    });
  }
});
