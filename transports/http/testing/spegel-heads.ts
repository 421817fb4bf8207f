/**
 * HTTP between Spegel and ours, as recorded on the wire: fields, order and spelling are those of each release; names, digests, sizes and dates are
 * filled in. Spegel sends `Authorization: Basic Og==`, an empty name and password, where no basic auth is configured.
 */
export interface SpegelHeads {
  readonly version: string;
  /** What it asks of ours. */
  readonly asks: {
    readonly tag: (name: Named) => string;
    readonly manifest: (name: Named) => string;
    readonly blob: (name: Named) => readonly string[];
    readonly range: (name: Named, range: string) => string;
  };
  /** How it answers ours, with a body's bytes behind. */
  readonly says: {
    readonly manifest: (about: Described) => string;
    readonly part: (about: Described, contentRange: string) => string;
    readonly absent: (digest: string) => string;
  };
}

interface Named {
  readonly repository: string;
  readonly registry: string;
  readonly reference: string;
}

interface Described {
  readonly sizeBytes: number;
  readonly mediaType: string;
  readonly digest: string;
  readonly registry: string;
}

const accepted = [
  'Accept: application/vnd.oci.image.manifest.v1+json',
  'Accept: application/vnd.docker.distribution.manifest.v2+json',
  'Accept: application/vnd.oci.image.index.v1+json',
  'Accept: application/vnd.docker.distribution.manifest.list.v2+json',
];

const ask = (method: string, kind: string, { repository, registry, reference }: Named, fields: readonly string[]) =>
  headOf([
    `${method} /v2/${repository}/${kind}/${reference}?ns=${registry} HTTP/1.1`,
    'Host: 10.88.0.12:5000',
    'User-Agent: spegel',
    ...accepted,
    'Authorization: Basic Og==',
    ...fields,
  ]);

const mirrored = 'X-Spegel-Mirrored: true';
/** Go's client adds it by itself, but to HEAD and to ranges. */
const gzip = 'Accept-Encoding: gzip';

const asks: SpegelHeads['asks'] = {
  tag: (name) => ask('HEAD', 'manifests', name, [mirrored]),
  manifest: (name) => ask('GET', 'manifests', name, [mirrored, gzip]),
  blob: (name) => [ask('GET', 'blobs', name, [mirrored, gzip])],
  range: (name, range) => ask('GET', 'blobs', name, [`Range: ${range}`, mirrored]),
};

const date = 'Date: Wed, 25 Nov 2026 03:45:20 GMT';

const saysNow = (version: string): SpegelHeads => ({
  version,
  asks,
  says: {
    manifest: ({ sizeBytes, mediaType, digest, registry }) =>
      headOf([
        'HTTP/1.1 200 OK',
        `Content-Length: ${String(sizeBytes)}`,
        `Content-Type: ${mediaType}`,
        `Docker-Content-Digest: ${digest}`,
        `Oci-Namespace: ${registry}`,
        date,
      ]),
    part: ({ sizeBytes, digest, registry }, contentRange) =>
      headOf([
        'HTTP/1.1 206 Partial Content',
        'Accept-Ranges: bytes',
        `Content-Length: ${String(sizeBytes)}`,
        `Content-Range: ${contentRange}`,
        'Content-Type: application/octet-stream',
        `Docker-Content-Digest: ${digest}`,
        `Oci-Namespace: ${registry}`,
        date,
      ]),
    absent: (digest) => {
      const body = `{"errors":[{"code":"BLOB_UNKNOWN","message":"could not get blob ${digest}"}]}`;
      const length = `Content-Length: ${String(body.length)}`;
      return headOf(['HTTP/1.1 404 Not Found', length, 'Content-Type: application/json', date]) + body;
    },
  },
});

export const spegelHeads: readonly SpegelHeads[] = [
  {
    version: 'v0.4.0',
    // A blob is asked about before it is fetched.
    asks: { ...asks, blob: (name) => [ask('HEAD', 'blobs', name, [mirrored]), ...asks.blob(name)] },
    says: {
      manifest: ({ sizeBytes, mediaType, digest }) =>
        headOf([
          'HTTP/1.1 200 OK',
          `Content-Length: ${String(sizeBytes)}`,
          `Content-Type: ${mediaType}`,
          `Docker-Content-Digest: ${digest}`,
          date,
        ]),
      part: ({ sizeBytes, digest }, contentRange) =>
        headOf([
          'HTTP/1.1 206 Partial Content',
          'Accept-Ranges: bytes',
          `Content-Length: ${String(sizeBytes)}`,
          `Content-Range: ${contentRange}`,
          'Content-Type: application/octet-stream',
          `Docker-Content-Digest: ${digest}`,
          date,
        ]),
      absent: (digest) => {
        const body = `{"errors":[{"code":"BLOB_UNKNOWN","message":"could not determine size of blob ${digest}"}]}`;
        const length = `Content-Length: ${String(body.length)}`;
        return headOf(['HTTP/1.1 404 Not Found', date, length, 'Content-Type: text/plain; charset=utf-8']) + body;
      },
    },
  },
  saysNow('v0.6.0'),
  saysNow('v0.7.4'),
];

function headOf(lines: readonly string[]): string {
  return [...lines, '', ''].join('\r\n');
}
