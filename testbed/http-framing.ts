/** A request that passed. */
export interface ProxiedRequest {
  readonly method: string;
  readonly target: string;
  readonly range: string | undefined;
}

/** Part of an answer: its head or a run of its body. */
export interface Segment<Context> {
  readonly part: 'head' | 'body';
  readonly bytes: Uint8Array;
  /** Of the first byte, in the body; 0 in the head. */
  readonly bodyOffset: number;
  /** Of the first byte, in the blob: the body's offset plus the start of its Content-Range. */
  readonly blobOffset: number;
  readonly context: Context;
}

/** Finds requests without bodies in a stream of bytes. */
export function requestReader(onRequest: (request: ProxiedRequest) => void): (chunk: Buffer) => void {
  let rest = '';
  return (chunk) => {
    const heads = (rest + chunk.toString('latin1')).split('\r\n\r\n');
    rest = heads.pop() ?? '';
    for (const head of heads) {
      const [method = '', target = ''] = head.split(' ', 2);
      onRequest({ method, target, range: fieldOf(head, 'range') });
    }
  };
}

/** Where an answer's body lies. */
export interface BodyFrame {
  /** Its first byte's offset in the blob. */
  readonly start: number;
  readonly length: number;
}

/**
 * Cuts a stream of HTTP/1.1 answers with Content-Length into heads and runs of body. `nextMethod` says what the next answer answers, `begin` is then
 * called as it begins. The body begins with an empty run, so that a fault at its byte 0 has a place.
 */
export function responseReader<Context>(
  nextMethod: () => string,
  begin: (frame: BodyFrame) => Context,
): (chunk: Buffer) => Segment<Context>[] {
  let head = Buffer.alloc(0);
  let body: { readonly context: Context; readonly start: number; readonly length: number; at: number } | undefined;

  const takeBody = (bytes: Buffer, current: NonNullable<typeof body>): { segment: Segment<Context>; rest: Buffer } => {
    const run = bytes.subarray(0, current.length - current.at);
    const offsets = { bodyOffset: current.at, blobOffset: current.start + current.at };
    current.at += run.byteLength;
    return {
      segment: { part: 'body', bytes: run, ...offsets, context: current.context },
      rest: bytes.subarray(run.byteLength),
    };
  };

  return (chunk) => {
    const segments: Segment<Context>[] = [];
    let bytes = chunk;
    while (bytes.byteLength > 0) {
      if (body === undefined) {
        head = Buffer.concat([head, bytes]);
        const end = head.indexOf('\r\n\r\n');
        if (end < 0) return segments;
        const text = head.toString('latin1', 0, end);
        const start = Number(/bytes (\d+)-/.exec(fieldOf(text, 'content-range') ?? '')?.[1] ?? 0);
        const length = bodyLength(text, nextMethod());
        const context = begin({ start, length });
        segments.push({ part: 'head', bytes: head.subarray(0, end + 4), bodyOffset: 0, blobOffset: 0, context });
        bytes = head.subarray(end + 4);
        head = Buffer.alloc(0);
        body = { context, start, length, at: 0 };
        segments.push({ part: 'body', bytes: bytes.subarray(0, 0), bodyOffset: 0, blobOffset: start, context });
      } else {
        const { segment, rest } = takeBody(bytes, body);
        segments.push(segment);
        bytes = rest;
      }
      if (body.at === body.length) body = undefined;
    }
    return segments;
  };
}

function bodyLength(head: string, method: string): number {
  if (method === 'HEAD' || /^HTTP\/1\.1 (204|304)/.test(head)) return 0;
  const length = fieldOf(head, 'content-length');
  // Without a length the answer lasts as long as its connection.
  return length === undefined ? Infinity : Number(length);
}

function fieldOf(head: string, name: string): string | undefined {
  return new RegExp(`^${name}:[ \t]*(.*)$`, 'im').exec(head.replaceAll('\r', ''))?.[1];
}
