import type { Kernel } from '../kernel/kernel.ts';
import type { FlowNetwork } from '../network/flow-network.ts';
import type { Link } from '../network/link.ts';
import type { UnpackSpec } from '../scenario/scenario.ts';

/** Unpacks layers one after the other, in the order in which they stand in the manifest, each as soon as it has arrived (containerd's `core/unpack`). */
export class Unpacker {
  readonly #kernel: Kernel;
  readonly #flows: FlowNetwork;
  readonly #spec: UnpackSpec;
  readonly #path: readonly Link[];

  /** `shared`: what all nodes of one machine unpack together. */
  constructor(kernel: Kernel, flows: FlowNetwork, spec: UnpackSpec, shared: Link | undefined) {
    this.#kernel = kernel;
    this.#flows = flows;
    this.#spec = spec;
    this.#path = shared === undefined ? [] : [shared];
  }

  /** Resolves when all are unpacked. `arrivals`: of each layer in order, when it is there. Layers that are not to come: the promise never settles. */
  async unpack(layers: readonly { readonly sizeBytes: number; readonly arrival: Promise<unknown> }[]): Promise<void> {
    for (const { sizeBytes, arrival } of layers) {
      await arrival;
      await this.#unpackOne(sizeBytes);
    }
  }

  #unpackOne(sizeBytes: number): Promise<void> {
    const { bytesPerSecond, layerUs } = this.#spec;
    return new Promise((resolve) => {
      this.#kernel.schedule(layerUs, () => {
        const flow = this.#flows.open(this.#path, { capBytesPerSecond: bytesPerSecond });
        const go = (left: number): void => {
          if (left <= 0) resolve();
          else
            flow.want(left, Infinity, (bytes) => {
              go(left - bytes);
            });
        };
        go(sizeBytes);
      });
    });
  }
}
