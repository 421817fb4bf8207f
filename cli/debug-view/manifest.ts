import * as v from 'valibot';

const descriptorSchema = v.object({
  digest: v.string(),
  platform: v.optional(v.object({ os: v.string(), architecture: v.string() })),
});

/** What a manifest or index names, as far as reading an image needs it (image-spec). */
const manifestSchema = v.object({
  manifests: v.optional(v.array(descriptorSchema), []),
  config: v.optional(descriptorSchema),
  layers: v.optional(v.array(descriptorSchema), []),
});

export type Descriptor = v.InferOutput<typeof descriptorSchema>;

export interface ManifestContent {
  readonly children: readonly Descriptor[];
  /** Of an index. */
  readonly platforms: readonly Descriptor[];
}

/** Reads a manifest; undefined if it did not come whole, is longer than `maxBytes` or is none. */
export async function readManifest(
  read: (take: (bytes: Uint8Array) => void) => Promise<boolean>,
  maxBytes: number,
): Promise<ManifestContent | undefined> {
  const parts: Uint8Array[] = [];
  let length = 0;
  const isWhole = await read((bytes) => {
    length += bytes.byteLength;
    if (length <= maxBytes) parts.push(bytes.slice());
  });
  if (!isWhole || length > maxBytes) return undefined;
  const { success, output } = v.safeParse(manifestSchema, parseJson(Buffer.concat(parts).toString('utf8')));
  if (!success) return undefined;
  const { manifests, config, layers } = output;
  return { platforms: manifests, children: config === undefined ? layers : [config, ...layers] };
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
