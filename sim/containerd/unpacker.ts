import type { SimContent } from '../content/catalogue.ts';
import type { Disk } from '../disk/disk.ts';
import type { Kernel } from '../kernel/kernel.ts';
import type { FlowNetwork } from '../network/flow-network.ts';
import type { Link } from '../network/link.ts';

/** What becomes of layers that have arrived. */
export interface UnpackSpec {
  /** Each layer takes so long, whatever its size: a snapshot is prepared and committed. */
  readonly layerUs: number;
  /** Compressed bytes a second of one layer, on one core; layers of an image are unpacked one after the other. */
  readonly bytesPerSecond: number;
  /** Images that are unpacked at the same time share so many cores. @default as many as there are images */
  readonly cores?: number;
  /** All nodes share so much of it, where they are on one machine. */
  readonly sharedBytesPerSecond?: number;
  /** Of 100 compressed bytes, so many are written: what a disk notices. @default 250 */
  readonly ratioPercent?: number;
}

/** A layer that is to be unpacked; `arrival`: true when it is there, false when it will not come. */
export interface ArrivingLayer {
  readonly content: SimContent;
  readonly arrival: Promise<boolean>;
}

export interface UnpackerDeps {
  readonly kernel: Kernel;
  readonly flows: FlowNetwork;
  readonly disk: Disk | undefined;
}

const usualRatioPercent = 250;

/** Unpacks layers one after the other, in the order in which they stand in the manifest, each as soon as it has arrived (containerd's `core/unpack`). */
export class Unpacker {
  readonly #deps: UnpackerDeps;
  readonly #spec: UnpackSpec;
  readonly #path: readonly Link[];

  /** `path`: what it shares with others. */
  constructor(deps: UnpackerDeps, spec: UnpackSpec, path: readonly Link[]) {
    this.#deps = deps;
    this.#spec = spec;
    this.#path = path;
  }

  /** Resolves when all are unpacked, or when one will not come. */
  async unpack(layers: readonly ArrivingLayer[]): Promise<void> {
    for (const { content, arrival } of layers) {
      if (!(await arrival)) return;
      await this.#unpackOne(content);
    }
  }

  async #unpackOne({ digest, sizeBytes }: SimContent): Promise<void> {
    const { disk, kernel } = this.#deps;
    const { bytesPerSecond, layerUs, ratioPercent = usualRatioPercent } = this.#spec;
    await new Promise<void>((resolve) => {
      kernel.schedule(layerUs, resolve);
    });
    // What has just come is still in memory, unless it is larger than that.
    await disk?.read(digest, sizeBytes, sizeBytes);
    await this.#inflate(sizeBytes, bytesPerSecond);
    await disk?.write(`${digest} unpacked`, Math.floor((sizeBytes * ratioPercent) / 100));
  }

  #inflate(sizeBytes: number, capBytesPerSecond: number): Promise<void> {
    const flow = this.#deps.flows.open(this.#path, { capBytesPerSecond });
    return new Promise((resolve) => {
      const go = (left: number): void => {
        if (left <= 0) resolve();
        else
          flow.want(left, Infinity, (bytes) => {
            go(left - bytes);
          });
      };
      go(sizeBytes);
    });
  }
}
