import type { Digester } from '../ports/index.ts';
import { createHarness, patternBytes } from './harness.ts';
import type { Manifest, Subject, SuiteTools } from './harness.ts';

export interface DigesterSubject extends Subject {
  readonly digester: Digester;
  /** A buffer of the kind that bodies lend, to be filled again and again. Default: a plain Uint8Array. */
  buffer?(sizeBytes: number): Uint8Array;
}

export interface DigesterSuiteOptions extends SuiteTools {
  readonly manifest: Manifest<never>;
  readonly factory: () => Promise<DigesterSubject> | DigesterSubject;
}

/** FIPS 180-4: the hashes of no bytes and of "abc". */
const known = [
  ['sha256', '', 'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855'],
  ['sha256', 'abc', 'ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad'],
  [
    'sha512',
    'abc',
    'ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a2192992a274fc1a836ba3c23a3feebbd454d4423643ce80e2a9ac94fa54ca49f',
  ],
] as const;

function hexOf(bytes: Uint8Array): string {
  return [...bytes].map((byte) => byte.toString(16).padStart(2, '0')).join('');
}

/** The laws of `Digester`. */
export function digesterSuite({ manifest, factory, ...tools }: DigesterSuiteOptions): void {
  const { assert, law, settle, rejects } = createHarness(tools, 'digester', manifest, factory);
  const plain = (sizeBytes: number): Uint8Array => new Uint8Array(sizeBytes);

  for (const [algorithm, text, hex] of known) {
    law(`${algorithm} of "${text}", at once and as a stream`, async ({ digester }) => {
      const bytes = new TextEncoder().encode(text);
      assert.equal(hexOf(digester.hash(algorithm, bytes)), hex);
      const stream = digester.stream(algorithm);
      await settle(stream.update(bytes));
      assert.equal(await settle(stream.finish()), `${algorithm}:${hex}`);
    });
  }

  law(
    'a stream gives the hash of the whole however it is cut, and its buffer is free when update() resolves',
    async (subject) => {
      const { digester, buffer = plain } = subject;
      const message = patternBytes(300_001);
      const expected = `sha256:${hexOf(digester.hash('sha256', message))}`;
      for (const step of [1_000, 65_536, 300_001]) {
        const lent = buffer(step + 10);
        const stream = digester.stream('sha256');
        for (let offset = 0; offset < message.byteLength; offset += step) {
          const part = message.subarray(offset, offset + step);
          lent.fill(0xdb);
          lent.set(part, 10);
          await settle(stream.update(lent.subarray(10, 10 + part.byteLength)));
          lent.fill(0xdb);
        }
        assert.equal(await settle(stream.finish()), expected, `in steps of ${step}`);
      }
    },
  );

  law('streams at once do not mix', async ({ digester }) => {
    const messages = [1, 2, 3].map((salt) => patternBytes(50_000, salt));
    const digests = messages.map(async (message) => {
      const stream = digester.stream('sha256');
      for (let offset = 0; offset < message.byteLength; offset += 10_000)
        await stream.update(message.subarray(offset, offset + 10_000));
      return stream.finish();
    });
    const expected = messages.map((message) => `sha256:${hexOf(digester.hash('sha256', message))}`);
    assert.deepEqual(await settle(Promise.all(digests)), expected);
  });

  law('cancel() settles a pending update(), is idempotent and harmless after the end', async ({ digester }) => {
    const cancelled = digester.stream('sha256');
    const pending = cancelled.update(patternBytes(200_000));
    cancelled.cancel();
    cancelled.cancel();
    await settle(pending.catch(() => rejects(pending, 'ABORTED')));
    const finished = digester.stream('sha256');
    await settle(finished.finish());
    finished.cancel();
    digester.stream('sha512').cancel();
  });
}
