import type { PullEvent } from '../../core/index.ts';
import type { ObjectRecord, ProgressPoint, PullRecord, StepRecord } from './run-record.ts';
import { sayStep } from './say-step.ts';

const progressPointsMax = 64;
const stepsMax = 40;
const objectsMax = 48;

type Mutable<T> = { -readonly [K in keyof T]: T[K] };

/** What becomes of one pull, step by step. */
export class PullRecorder {
  readonly repository: string;
  readonly #node: string;
  readonly #image: string;
  readonly #sizeBytes: number;
  readonly #startUs: number;
  readonly #progress: ProgressPoint[] = [];
  readonly #sources = new Map<string, number>();
  readonly #objects = new Map<string, Mutable<ObjectRecord>>();
  readonly #steps: StepRecord[] = [];
  #stepsDropped = 0;
  #mirrorBytes = 0;
  #upstreamBytes = 0;
  #endUs: number | undefined;
  #outcome = 'pending';

  constructor(node: string, image: string, sizeBytes: number, startUs: number) {
    this.#node = node;
    this.#image = image;
    this.#sizeBytes = sizeBytes;
    this.#startUs = startUs;
    this.repository = /^[^/]+\/(.+):[^:/]+$/.exec(image)?.[1] ?? '';
  }

  get isOpen(): boolean {
    return this.#endUs === undefined;
  }

  request(key: string, kind: ObjectRecord['kind'], atUs: number): void {
    const object = this.#objects.get(key);
    if (object !== undefined) object.requests += 1;
    else if (this.#objects.size < objectsMax) {
      this.#objects.set(key, { key, kind, startUs: atUs, endUs: atUs, bytes: 0, requests: 1 });
    }
  }

  bytes(key: string, isUpstream: boolean, bytes: number, atUs: number): void {
    if (isUpstream) {
      this.#upstreamBytes += bytes;
      this.#give('upstream', bytes);
    } else this.#mirrorBytes += bytes;
    const object = this.#objects.get(key);
    if (object !== undefined) {
      object.bytes += bytes;
      object.endUs = atUs;
    }
    const last = this.#progress.at(-1);
    const before = last === undefined ? 0 : last.mirrorBytes + last.upstreamBytes;
    const isMuch = this.#mirrorBytes + this.#upstreamBytes - before >= this.#sizeBytes / progressPointsMax;
    if (isMuch || last === undefined) this.#point(atUs);
  }

  /** What the own mirror says of a request of this pull. */
  mirror(event: PullEvent, key: string, atUs: number): void {
    if (event.type === 'bytes') this.#give(event.source, event.to - event.from);
    const says = sayStep(event);
    if (says !== undefined) this.step(key, says, atUs);
  }

  step(key: string, says: string, atUs: number): void {
    if (this.#steps.length < stepsMax) this.#steps.push({ atUs, key, says });
    else this.#stepsDropped += 1;
  }

  end(outcome: string, atUs: number): void {
    this.#outcome = outcome;
    this.#endUs = atUs;
    this.#point(atUs);
  }

  record(): PullRecord {
    return {
      node: this.#node,
      image: this.#image,
      sizeBytes: this.#sizeBytes,
      startUs: this.#startUs,
      endUs: this.#endUs,
      outcome: this.#outcome,
      progress: this.#progress,
      sources: [...this.#sources].map(([source, bytes]) => ({ source, bytes })).sort((a, b) => b.bytes - a.bytes),
      objects: [...this.#objects.values()],
      steps: this.#steps,
      stepsDropped: this.#stepsDropped,
    };
  }

  #give(source: string, bytes: number): void {
    if (bytes > 0) this.#sources.set(source, (this.#sources.get(source) ?? 0) + bytes);
  }

  #point(atUs: number): void {
    this.#progress.push({ atUs, mirrorBytes: this.#mirrorBytes, upstreamBytes: this.#upstreamBytes });
  }
}
