import { defaultLimits } from '../../core/index.ts';
import { layersIn, mayHaveChildren, parseManifest } from '../oci-layout/image-index.ts';
import type { ContainerdApi, ImageRecord } from './containerd-api.ts';

/** What a name of containerd's leads to, as far as it was pulled. */
export interface RuntimeImage {
  /** The digest that the name stands for. */
  readonly target: string;
  /** Its index, if it has one, its manifest and its config. */
  readonly documents: readonly string[];
  readonly layers: readonly { readonly digest: string; readonly sizeBytes: number }[];
}

type Api = Pick<ContainerdApi, 'content' | 'read'>;

/** Of an index the first manifest that is here, and has layers: nodes pull one platform. */
export async function readRuntimeImage(api: Api, record: ImageRecord, signal: AbortSignal): Promise<RuntimeImage> {
  const target = record.target.digest;
  const found = await readDown(api, target, signal, 1);
  return { target, documents: found?.documents ?? [target], layers: found?.layers ?? [] };
}

type Found = Pick<RuntimeImage, 'documents' | 'layers'>;

/** Undefined: nothing is here. */
async function readDown(api: Api, digest: string, signal: AbortSignal, depth: number): Promise<Found | undefined> {
  const text = await readText(api, digest, signal);
  if (text === undefined) return undefined;
  const layers = layersIn(text).map((layer) => ({ digest: layer.digest, sizeBytes: layer.size }));
  const { children } = parseManifest(text);
  if (layers.length > 0) {
    const isLayer = new Set(layers.map((layer) => layer.digest));
    const others = children.filter((child) => !isLayer.has(child.digest));
    return { documents: [digest, ...others.map((child) => child.digest)], layers };
  }
  for (const child of depth === 0 ? [] : children.filter(mayHaveChildren)) {
    const found = await readDown(api, child.digest, signal, depth - 1);
    if (found !== undefined && found.layers.length > 0)
      return { documents: [digest, ...found.documents], layers: found.layers };
  }
  return { documents: [digest], layers: [] };
}

async function readText(api: Api, digest: string, signal: AbortSignal): Promise<string | undefined> {
  const content = await api.content(digest, signal);
  if (content === undefined || content.sizeBytes > defaultLimits.manifestMaxBytes) return undefined;
  const bytes = new Uint8Array(content.sizeBytes);
  const read = await api.read(digest, 0, bytes, signal);
  return read === bytes.byteLength ? new TextDecoder().decode(bytes) : undefined;
}
