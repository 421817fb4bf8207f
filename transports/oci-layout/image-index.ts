import { isDigest, parseReference } from '../../core/index.ts';
import type { Reference } from '../../core/index.ts';
import {
  array,
  integer,
  is,
  minValue,
  number,
  object,
  optional,
  pipe,
  record,
  safeParse,
  string,
  unknown,
} from 'valibot';
import type { InferOutput } from 'valibot';

/** What the layout uses of a descriptor (image-spec, "OCI Content Descriptors"). */
const descriptorSchema = object({
  mediaType: optional(string()),
  digest: string(),
  size: pipe(number(), integer(), minValue(0)),
  annotations: optional(record(string(), string())),
});
export type Descriptor = InferOutput<typeof descriptorSchema>;

const indexSchema = object({ manifests: array(unknown()) });
const manifestSchema = object({
  mediaType: optional(unknown()),
  config: optional(unknown()),
  layers: optional(array(unknown())),
  manifests: optional(array(unknown())),
});

/** The roots in an `index.json`; undefined if the text is no image index. Entries that are no descriptors are left out. */
export function parseIndex(text: string): readonly Descriptor[] | undefined {
  const parsed = safeParse(indexSchema, parseJson(text));
  return parsed.success ? descriptorsOf(parsed.output.manifests) : undefined;
}

export interface ManifestText {
  /** What it calls itself; not every one does. */
  readonly mediaType: string | undefined;
  /** What it points at; empty for content that is neither manifest nor index. */
  readonly children: readonly Descriptor[];
}

/** Reads a manifest or an index. */
export function parseManifest(text: string): ManifestText {
  const parsed = safeParse(manifestSchema, parseJson(text));
  if (!parsed.success) return { mediaType: undefined, children: [] };
  const { mediaType, config, layers = [], manifests = [] } = parsed.output;
  const children = descriptorsOf([...manifests, ...(config === undefined ? [] : [config]), ...layers]);
  return { mediaType: typeof mediaType === 'string' && isMediaType(mediaType) ? mediaType : undefined, children };
}

/** The layers of a manifest in their order; none of what is not one. */
export function layersIn(text: string): readonly Descriptor[] {
  const parsed = safeParse(manifestSchema, parseJson(text));
  return parsed.success ? descriptorsOf(parsed.output.layers ?? []) : [];
}

/** `type/subtype` (RFC 6838, section 4.2) without parameters: what may stand in a header. */
export function isMediaType(text: string): boolean {
  return /^[\w.+-]{1,127}\/[\w.+-]{1,127}$/.test(text);
}

/** The types that point at other content; a descriptor without a type may be one of them. */
const parentTypes: ReadonlySet<string | undefined> = new Set([
  undefined,
  'application/vnd.oci.image.index.v1+json',
  'application/vnd.oci.image.manifest.v1+json',
  'application/vnd.docker.distribution.manifest.list.v2+json',
  'application/vnd.docker.distribution.manifest.v2+json',
]);

export function mayHaveChildren(descriptor: Pick<Descriptor, 'mediaType'>): boolean {
  return parentTypes.has(descriptor.mediaType);
}

/** A root's name, or the annotation that is none. Undefined: it was given no name. */
export function nameIn(root: Descriptor): Reference | { readonly skipped: string } | undefined {
  const imageName = root.annotations?.['io.containerd.image.name'];
  const refName = root.annotations?.['org.opencontainers.image.ref.name'];
  const named = imageName === undefined ? undefined : parseReference(imageName);
  if (named !== undefined) return named;
  const referred = refName === undefined ? undefined : parseReference(refName);
  // `library/busybox:1` would make a registry of `library`: as elsewhere, a registry has a dot, a port, or is localhost.
  if (referred !== undefined && /[.:]|^localhost$/.test(referred.registry)) return referred;
  const skipped = imageName ?? refName;
  return skipped === undefined ? undefined : { skipped };
}

function descriptorsOf(values: readonly unknown[]): readonly Descriptor[] {
  return values.filter((value) => is(descriptorSchema, value)).filter(({ digest }) => isDigest(digest));
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
