import type { TestContext } from 'node:test';
import { defaultLimits, limitsWith } from '../../../core/index.ts';
import type { Body, Limits, NodeEvent, StoreChange } from '../../../core/index.ts';
import { createBufferPool } from '../../system/buffer-pool.ts';
import { createSystemClock } from '../../system/clock.ts';
import { createContainerdStore } from '../containerd-store.ts';
import type { ContainerdStore, ContainerdStoreOptions } from '../containerd-store.ts';
import { createFakeContainerd } from './fake-containerd.ts';
import type { FakeContainerd } from './fake-containerd.ts';

/** A store over a fake containerd, and what it told. */
export interface StartedStore {
  readonly store: ContainerdStore;
  readonly events: NodeEvent[];
  readonly changes: StoreChange[];
  readonly buffers: ReturnType<typeof createBufferPool>;
}

export interface StoreSetUp {
  readonly containerd: FakeContainerd;
  start(limits?: Partial<Limits>, options?: Partial<ContainerdStoreOptions>): StartedStore;
}

export const never = new AbortController().signal;
const clock = createSystemClock();

/** Everything ends with the test. */
export async function setUpStore(t: TestContext): Promise<StoreSetUp> {
  const containerd = await createFakeContainerd();
  const stores: ContainerdStore[] = [];
  t.after(async () => {
    for (const store of stores) store.close();
    await containerd.remove();
  });
  const start: StoreSetUp['start'] = (limits = {}, options = {}) => {
    const events: NodeEvent[] = [];
    const changes: StoreChange[] = [];
    const buffers = createBufferPool(defaultLimits);
    const observer = { onPull: () => undefined, onNode: (event: NodeEvent) => void events.push(event) };
    const store = createContainerdStore(
      { clock: createSystemClock(), buffers, observer },
      { socket: containerd.socket, namespace: 'k8s.io', limits: limitsWith(limits), ...options },
    );
    stores.push(store);
    store.watch((change) => void changes.push(change));
    return { store, events, changes, buffers };
  };
  return { containerd, start };
}

export async function until(condition: () => boolean | Promise<boolean>): Promise<void> {
  const limitUs = clock.nowUs() + 8_000_000;
  while (!(await condition())) {
    if (clock.nowUs() > limitUs) throw new Error(`not within 8 s: ${condition.toString()}`);
    await new Promise((resolve) => clock.schedule(2_000, () => resolve(undefined)));
  }
}

export async function readAll(body: Body): Promise<Uint8Array> {
  const parts: Uint8Array[] = [];
  for (let step = await body.next(); step.done !== true; step = await body.next()) {
    if (step.value instanceof Uint8Array) parts.push(Uint8Array.from(step.value));
  }
  return Buffer.concat(parts);
}
