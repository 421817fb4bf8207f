import type { Body } from '../ports/index.ts';
import { abortedSignal, bytesOfChunk, countedSignal, neverAborted } from './harness.ts';
import type { BytesOf, Harness, Subject } from './harness.ts';

/** Opens the same content again and again. */
export interface BodySource {
  open(signal: AbortSignal): Promise<Body>;
  readonly expected: Uint8Array;
  readonly bytesOf?: BytesOf;
}

/** All bytes of a body, copied. */
export async function readBody(body: Body, bytesOf: BytesOf = bytesOfChunk): Promise<Uint8Array> {
  const parts: Uint8Array[] = [];
  for (let step = await body.next(); step.done !== true; step = await body.next())
    parts.push(Uint8Array.from(bytesOf(step.value)));
  return concatBytes(parts);
}

export function concatBytes(parts: readonly Uint8Array[]): Uint8Array {
  const whole = new Uint8Array(parts.reduce((sum, part) => sum + part.byteLength, 0));
  let offset = 0;
  for (const part of parts) {
    whole.set(part, offset);
    offset += part.byteLength;
  }
  return whole;
}

export function isSameBytes(one: Uint8Array, other: Uint8Array): boolean {
  return one.byteLength === other.byteLength && one.every((byte, index) => byte === other[index]);
}

/** The laws of every body, whatever port gave it. The content must be of more than one chunk where the port can do that. */
export function bodyLaws<C extends string, S extends Subject>(
  harness: Harness<C, S>,
  prepare: (subject: S) => Promise<BodySource>,
): void {
  const { assert, law, settle, rejects, until, pause } = harness;

  law('body: gives exactly its bytes, then only the end', async (subject) => {
    const { open, expected, bytesOf } = await settle(prepare(subject));
    const body = await settle(open(neverAborted()));
    assert.ok(isSameBytes(await settle(readBody(body, bytesOf)), expected), 'the bytes are right');
    assert.equal((await settle(body.next())).done, true);
    assert.equal((await settle(body.return())).done, true);
  });

  law('body: a chunk stays as it is until the next next()', async (subject) => {
    const { open, expected, bytesOf = bytesOfChunk } = await settle(prepare(subject));
    const body = await settle(open(neverAborted()));
    let offset = 0;
    for (let step = await settle(body.next()); step.done !== true; step = await settle(body.next())) {
      for (let pauses = 0; pauses < 3; pauses += 1) await pause();
      const length = step.value.byteLength;
      assert.ok(
        isSameBytes(bytesOf(step.value), expected.subarray(offset, offset + length)),
        `the chunk at ${offset} is unchanged`,
      );
      offset += length;
    }
    assert.equal(offset, expected.byteLength);
  });

  law('body: subarray(start, end) of a chunk is those bytes', async (subject) => {
    const { open, expected, bytesOf = bytesOfChunk } = await settle(prepare(subject));
    const body = await settle(open(neverAborted()));
    const step = await settle(body.next());
    assert.ok(step.done !== true && step.value.byteLength > 2, 'there is a first chunk');
    if (step.done === true) return;
    const part = step.value.subarray(1, step.value.byteLength - 1);
    assert.equal(part.byteLength, step.value.byteLength - 2);
    assert.ok(isSameBytes(bytesOf(part), expected.subarray(1, step.value.byteLength - 1)), 'the part is right');
    await settle(body.return());
  });

  for (const chunks of [0, 1, 2]) {
    law(`body: return() after ${chunks} chunks ends it, twice as well`, async (subject) => {
      const { open } = await settle(prepare(subject));
      const body = await settle(open(neverAborted()));
      for (let taken = 0; taken < chunks; taken += 1) await settle(body.next());
      assert.equal((await settle(body.return())).done, true);
      assert.equal((await settle(body.return())).done, true);
      await assertNoMore(body);
    });

    law(`body: aborting its signal after ${chunks} chunks ends it`, async (subject) => {
      const { open } = await settle(prepare(subject));
      const controller = new AbortController();
      const body = await settle(open(controller.signal));
      for (let taken = 0; taken < chunks; taken += 1) await settle(body.next());
      controller.abort();
      await assertNoMore(body);
      assert.equal((await settle(body.return())).done, true);
    });
  }

  law('body: return() settles a pending next(), with ABORTED if its bytes had not come', async (subject) => {
    const { open, expected, bytesOf = bytesOfChunk } = await settle(prepare(subject));
    const body = await settle(open(neverAborted()));
    const pending = body.next();
    const ended = body.return();
    const outcome = await settle(
      pending.then(
        (step) => step,
        () => rejects(pending, 'ABORTED'),
      ),
    );
    // Bytes that were there already are right; what must not come is a clean end.
    if (outcome !== undefined) {
      assert.ok(outcome.done !== true, 'a body that was ended does not end cleanly');
      if (outcome.done !== true) assert.equal(bytesOf(outcome.value)[0], expected[0]);
    }
    assert.equal((await settle(ended)).done, true);
  });

  law('body: leaves no listener on its signal, at its end or after return()', async (subject) => {
    const { open, bytesOf } = await settle(prepare(subject));
    const { signal, listeners } = countedSignal();
    await settle(readBody(await settle(open(signal)), bytesOf));
    const body = await settle(open(signal));
    await settle(body.next());
    await settle(body.return());
    await until('no listener is left', () => listeners() === 0);
  });

  law('body: a signal that has aborted already opens nothing', async (subject) => {
    const { open } = await settle(prepare(subject));
    await rejects(open(abortedSignal()), 'ABORTED');
  });

  law('body: many at once do not mix', async (subject) => {
    const { open, expected, bytesOf } = await settle(prepare(subject));
    const all = Array.from({ length: 8 }, async () => readBody(await open(neverAborted()), bytesOf));
    for (const bytes of await settle(Promise.all(all))) assert.ok(isSameBytes(bytes, expected), 'the bytes are right');
  });

  async function assertNoMore(body: Body): Promise<void> {
    const next = body.next();
    const step = await settle(
      next.then(
        (value) => value,
        () => rejects(next, 'ABORTED'),
      ),
    );
    assert.ok(step === undefined || step.done === true, 'an ended body gives no bytes');
  }
}
