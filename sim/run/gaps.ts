import type { SimEvent } from './trace.ts';

type Bytes = Pick<SimEvent & { readonly type: 'bytes' }, 'atUs' | 'sinceUs' | 'bytes' | 'blob' | 'offset'>;

/** More than one mirror receives at once of all that a node's containerd asks for at once: windows of a few layers. */
const fedMax = 16;
/** Nobody passes on what came earlier: longer than any step that a mirror is given. */
const passedOnWithinUs = 1_000_000;

/**
 * How long a node's containerd got no byte. Bodies are told of in steps, and whoever relays passes a step on when it has all of it: real bytes go on as they
 * come, so what counts is when they were on their way, not when their step was told.
 */
export class Gaps {
  /** Times without a byte, the earlier first, each longer than those before it: a shorter one does not matter, whatever is told later. */
  readonly #gaps: { readonly fromUs: number; toUs: number }[] = [];
  #lastUs = 0;
  /** What its own mirror was given last, the oldest of them replaced next. */
  readonly #fed: { sinceUs: number; atUs: number; bytes: number; blob: number; offset: number }[] = [];
  #next = 0;

  get longestUs(): number {
    const last = this.#gaps.at(-1);
    return last === undefined ? 0 : last.toUs - last.fromUs;
  }

  /** Nothing is missed before. */
  begin(atUs: number): void {
    this.#lastUs = atUs;
  }

  /** Bytes came to the mirror of its node. */
  feed({ atUs, blob, bytes, offset, sinceUs }: Bytes): void {
    if (blob === undefined || offset === undefined) return;
    const fed = this.#fed[this.#next];
    if (fed === undefined) this.#fed.push({ sinceUs, atUs, bytes, blob, offset });
    else Object.assign(fed, { sinceUs, atUs, bytes, blob, offset });
    this.#next = (this.#next + 1) % fedMax;
  }

  /** Bytes came to it. */
  got(event: Bytes): void {
    const { atUs } = event;
    let { sinceUs } = event;
    const last = this.#gaps.at(-1);
    // Where a step came from is looked at only where it matters.
    if (sinceUs - this.#lastUs > this.longestUs || (last !== undefined && last.toUs > atUs - passedOnWithinUs))
      sinceUs = Math.min(sinceUs, this.#passedOnSinceUs(event));
    this.#fill(sinceUs);
    this.#note(sinceUs);
    this.#lastUs = atUs;
  }

  /** Nothing has come until now. */
  end(atUs: number): void {
    this.#note(atUs);
  }

  #note(toUs: number): void {
    if (toUs - this.#lastUs > this.longestUs) this.#gaps.push({ fromUs: this.#lastUs, toUs });
  }

  /** Something was on its way since then, though other bytes were told of before. */
  #fill(sinceUs: number): void {
    for (let last = this.#gaps.pop(); last !== undefined; last = this.#gaps.pop()) {
      const toUs = Math.min(last.toUs, sinceUs);
      if (toUs - last.fromUs <= this.longestUs) continue;
      last.toUs = toUs;
      this.#gaps.push(last);
      return;
    }
  }

  /** When the first of these bytes came to the own mirror; Infinity: they did not, lately. */
  #passedOnSinceUs({ blob, offset = 0 }: Bytes): number {
    for (const fed of this.#fed) {
      const into = offset - fed.offset;
      if (fed.blob !== blob || into < 0 || into >= fed.bytes) continue;
      return fed.sinceUs + Math.floor(((fed.atUs - fed.sinceUs) * into) / fed.bytes);
    }
    return Infinity;
  }
}
