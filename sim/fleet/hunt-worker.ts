import { parentPort } from 'node:worker_threads';
import { makeSmall, trySeed } from '../hunt/hunt.ts';
import { installPoisonGuard } from '../kernel/poison-guard.ts';
import type { HuntOrder, HuntReport } from './messages.ts';

/** A thread that does runs of a hunt, as it is told, until it is ended. */
installPoisonGuard();

parentPort?.on('message', (order: HuntOrder) => {
  void reportOf(order).then((report) => {
    parentPort?.postMessage(report);
  });
});

async function reportOf(order: HuntOrder): Promise<HuntReport> {
  const { id, seed } = order;
  if (order.type === 'shrink') return { type: 'shrunk', id, found: await makeSmall(seed, order.violation) };
  const { events, probes, violation } = await trySeed(seed, order.isChecked);
  return { type: 'tried', id, violation, events, probes };
}
