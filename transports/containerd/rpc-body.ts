import { PeiliError } from '../../core/index.ts';
import type { Body } from '../../core/index.ts';
import type { BufferLease } from '../system/buffer-pool.ts';
import { createFramedBody } from '../system/framed-body.ts';
import type { ContainerdApi } from './containerd-api.ts';

export interface RpcBodyOptions {
  readonly api: Pick<ContainerdApi, 'read'>;
  readonly digest: string;
  /** Bytes [start, end) of the content. */
  readonly start: number;
  readonly end: number;
  /** One buffer; the body gives it back. */
  readonly lease: BufferLease;
  readonly signal: AbortSignal;
  /** Called once, when nothing is read any more and the buffer is free. */
  readonly onReleased: () => void;
}

/** Content in calls of one buffer each, so that what is under way is bounded. `next()` rejects with `STORE_FAILED`. */
export function createRpcBody({ api, digest, start, end, lease, signal, onReleased }: RpcBodyOptions): Body {
  const life = new AbortController();
  const state: { offset: number; reading: Promise<unknown> | undefined } = { offset: start, reading: undefined };

  const read = async (): Promise<Uint8Array> => {
    const buffer = lease.buffer();
    const target = buffer.subarray(0, Math.min(buffer.byteLength, end - state.offset));
    const length = await api.read(digest, state.offset, target, life.signal);
    if (length !== target.byteLength) throw new Error(`containerd sent ${length} bytes of ${target.byteLength}`);
    state.offset += length;
    return target;
  };
  const letGo = async (): Promise<void> => {
    life.abort();
    await state.reading?.catch(() => undefined);
    lease.release();
    onReleased();
  };

  return createFramedBody(
    {
      take: () => {
        if (state.offset >= end) return Promise.resolve(undefined);
        const reading = read();
        state.reading = reading;
        return reading;
      },
      failure: (cause) =>
        new PeiliError(
          'STORE_FAILED',
          'reading the content through containerd failed',
          { digest, offset: state.offset },
          cause,
        ),
      release: () => void letGo(),
    },
    signal,
  );
}
