import process from 'node:process';
import { parentPort, workerData } from 'node:worker_threads';
import type { World } from '../run/world.ts';
import type { PlantedData, RunOrder, RunReport } from './messages.ts';
import { plant } from './plant.ts';
import type { CaseViolation } from './run-case.ts';

/** A thread whose sources have a bug: it runs what it is told, until it is ended. */
const { patches, root } = workerData as PlantedData;
plant(patches, new URL(root));
const { runCase } = await import('./run-case.ts');

let world: World | undefined;
// What would have ended the process.
process.on('unhandledRejection', (cause) => {
  world?.kernel.fail(cause);
});

async function run({ scenario, seed }: RunOrder): Promise<CaseViolation | undefined> {
  try {
    return await runCase(scenario, seed, (created) => {
      world = created;
    });
  } catch (cause) {
    return { oracle: 'crash', message: cause instanceof Error ? cause.message : String(cause) };
  }
}

function cpuUs(): number {
  const { user, system } = process.threadCpuUsage();
  return user + system;
}

parentPort?.on('message', (order: RunOrder) => {
  const beforeUs = cpuUs();
  void run(order).then((violation) => {
    const report: RunReport = { id: order.id, violation, cpuUs: cpuUs() - beforeUs };
    parentPort?.postMessage(report);
  });
});
