import { array, boolean, nullable, number, object, pipe, record, string, transform } from 'valibot';
import { PeiliError } from '../../core/index.ts';
import { createRpcClient } from './rpc-client.ts';
import { methodOf } from './rpc-method.ts';

/** The Kubernetes container runtime interface, as far as images go: what the kubelet asks of containerd. */
export interface CriClient {
  version(signal: AbortSignal): Promise<CriVersion>;
  /** With the verbose information: JSON texts by name, `config` among them; which ones depends on containerd's version. */
  status(signal: AbortSignal): Promise<CriStatus>;
  /** Pulls an image as the kubelet would, and resolves with its id. No time limit but the signal's. `CONTAINERD_FAILED` with containerd's own words. */
  pullImage(reference: string, signal: AbortSignal): Promise<string>;
  /** Undefined if the runtime has no such image. */
  imageStatus(reference: string, signal: AbortSignal): Promise<CriImage | undefined>;
  listImages(signal: AbortSignal): Promise<readonly CriImage[]>;
  /** Removes every name of the image; well if there is none. */
  removeImage(reference: string, signal: AbortSignal): Promise<void>;
  /** Ends the connection. Idempotent. */
  close(): void;
}

export interface CriVersion {
  /** `containerd`. */
  readonly runtimeName: string;
  readonly runtimeVersion: string;
  readonly runtimeApiVersion: string;
}

export interface CriStatus {
  readonly conditions: readonly CriCondition[];
  readonly info: Readonly<Record<string, string>>;
}

export interface CriCondition {
  readonly type: string;
  readonly status: boolean;
  readonly reason: string;
  readonly message: string;
}

export interface CriImage {
  readonly id: string;
  readonly repoTags: readonly string[];
  readonly repoDigests: readonly string[];
  readonly sizeBytes: number;
}

export interface CriClientOptions {
  /** The path of containerd's socket. */
  readonly socket: string;
}

const imageSchema = pipe(
  object({ id: string(), repoTags: array(string()), repoDigests: array(string()), size: number() }),
  transform(({ size, ...image }): CriImage => ({ ...image, sizeBytes: size })),
);
const conditionSchema = object({ type: string(), status: boolean(), reason: string(), message: string() });

const methods = {
  version: methodOf(
    'runtime.v1.RuntimeService',
    'Version',
    object({ runtimeName: string(), runtimeVersion: string(), runtimeApiVersion: string() }),
  ),
  status: methodOf(
    'runtime.v1.RuntimeService',
    'Status',
    object({ status: nullable(object({ conditions: array(conditionSchema) })), info: record(string(), string()) }),
  ),
  pullImage: methodOf('runtime.v1.ImageService', 'PullImage', object({ imageRef: string() })),
  imageStatus: methodOf('runtime.v1.ImageService', 'ImageStatus', object({ image: nullable(imageSchema) })),
  listImages: methodOf('runtime.v1.ImageService', 'ListImages', object({ images: array(imageSchema) })),
  removeImage: methodOf('runtime.v1.ImageService', 'RemoveImage', object({})),
};

/** Calls reject with `CONTAINERD_UNREACHABLE`, `CONTAINERD_FAILED`, or the signal's reason. Needs containerd 1.6 or later (CRI v1). */
export function createCriClient({ socket }: CriClientOptions): CriClient {
  const rpc = createRpcClient({ socket });
  return {
    version: (signal) => rpc.unary(methods.version, { version: 'v1' }, signal),
    status: async (signal) => {
      const { status, info } = await rpc.unary(methods.status, { verbose: true }, signal);
      return { conditions: status?.conditions ?? [], info };
    },
    pullImage: async (reference, signal) => {
      const { imageRef } = await rpc.unary(methods.pullImage, { image: { image: reference } }, signal);
      if (imageRef !== '') return imageRef;
      throw new PeiliError('CONTAINERD_FAILED', 'the pull ended well and named no image', { socket, reference });
    },
    imageStatus: async (reference, signal) => {
      const { image } = await rpc.unary(methods.imageStatus, { image: { image: reference } }, signal);
      return image ?? undefined;
    },
    listImages: async (signal) => (await rpc.unary(methods.listImages, {}, signal)).images,
    removeImage: async (reference, signal) => {
      await rpc.unary(methods.removeImage, { image: { image: reference } }, signal);
    },
    close: rpc.close,
  };
}
