import { test } from 'node:test';
import assert from 'node:assert/strict';
import { clockSuite, digesterSuite, observerSuite, probeSuite, randomSuite } from '../../core/conformance/index.ts';
import { silentObserver, silentProbe } from '../../core/index.ts';
import { createSystemClock } from './clock.ts';
import { createDigester } from './digester.ts';
import { createRandom } from './random.ts';

const pause = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, 1));
const tools = { test, assert, pause };

clockSuite({
  ...tools,
  manifest: { name: 'system', supports: {} },
  factory: () => {
    const clock = createSystemClock();
    return { clock, pending: clock.pending };
  },
});

randomSuite({
  ...tools,
  manifest: { name: 'system', supports: {} },
  factory: () => ({ seeded: createRandom }),
});

for (const [kind, buffer] of [
  ['shared buffers', (sizeBytes: number) => new Uint8Array(new SharedArrayBuffer(sizeBytes))],
  ['plain buffers', (sizeBytes: number) => new Uint8Array(sizeBytes)],
] as const) {
  digesterSuite({
    ...tools,
    manifest: { name: `system, ${kind}`, supports: {} },
    factory: () => {
      const digester = createDigester();
      return { digester, buffer, pending: digester.pending, close: digester.dispose };
    },
  });
}

observerSuite({
  ...tools,
  manifest: { name: 'silent', supports: {} },
  factory: () => ({ observer: silentObserver }),
});

probeSuite({
  ...tools,
  manifest: { name: 'silent', supports: { quiet: true } },
  factory: () => ({ probe: silentProbe }),
});
