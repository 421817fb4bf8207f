import { isDigest, nameOf, parseReference, PeiliError, reasonOf } from '../../core/index.ts';
import type { Body, Limits, LookupOutcome, PullEvent, Reference } from '../../core/index.ts';
import { ociArchitecture } from '../../transports/index.ts';
import type { RunningNode } from '../../transports/index.ts';
import { readManifest } from './manifest.ts';
import type { Descriptor } from './manifest.ts';
import type { MeasuredObject, MeasurementView } from './snapshot.ts';
import { ObjectTimeline } from './timeline.ts';

export interface MeasureDeps {
  readonly mirror: RunningNode['mirror'];
  /** Milliseconds, monotonic. */
  readonly nowMs: () => number;
  readonly wallMs: () => number;
}

export interface MeasureOptions {
  readonly limits: Pick<
    Limits,
    'measureTimeoutUs' | 'measureMaxBytes' | 'measureObjectsMax' | 'manifestMaxBytes' | 'viewStepsMax'
  >;
  /** `registry/repository:tag`, `registry/repository@digest`, or both: then the digest counts. */
  readonly reference: string;
  /** Whether this node's own content may be the answer. */
  readonly ownContent: boolean;
  readonly signal: AbortSignal;
  /** Node's name of the architecture whose manifest is taken of an index. */
  readonly architecture: string;
}

/** Layers read side by side, as containerd does (`max_concurrent_downloads`). */
const layersAtOnce = 3;
/** An index may name an index (image-spec); nobody goes deeper. */
const indexDepthMax = 2;

interface Session extends MeasureOptions {
  readonly deps: MeasureDeps;
  readonly name: Reference;
  readonly objects: MeasuredObject[];
  /** Ends everything: time or bytes are used up. */
  readonly stop: AbortController;
  bytesLeft: number;
  stopped: string | null;
}

/**
 * Looks an image up and reads all of it as a client would be given it, and drops it. Rejects with `OPTION_INVALID` if the reference is none.
 * What does not come is part of the result.
 */
export async function measure(deps: MeasureDeps, options: MeasureOptions): Promise<MeasurementView> {
  const name = parseReference(options.reference);
  if (name === undefined || (name.tag === undefined && name.digest === undefined)) {
    const message = 'give a full reference, registry/repository:tag or registry/repository@sha256:<digest>';
    throw new PeiliError('OPTION_INVALID', message);
  }
  const startedMs = deps.nowMs();
  const atMs = deps.wallMs();
  const stop = new AbortController();
  const session: Session = {
    ...options,
    deps,
    name,
    objects: [],
    stop,
    bytesLeft: options.limits.measureMaxBytes,
    stopped: null,
  };
  const limitMs = options.limits.measureTimeoutUs / 1000;
  const timer = setTimeout(() => {
    endEarly(session, `ended after ${limitMs / 1000} s`);
  }, limitMs);
  const onAbort = (): void => {
    endEarly(session, 'given up');
  };
  options.signal.addEventListener('abort', onAbort, { once: true });
  try {
    const lookup = await measureLookup(session);
    await readImage(session, name.digest ?? name.tag ?? '', indexDepthMax);
    const bytes = session.objects.reduce((sum, object) => sum + object.bytes, 0);
    const { objects, stopped } = session;
    const { reference, ownContent } = options;
    return { reference, atMs, ownContent, tookMs: deps.nowMs() - startedMs, lookup, bytes, objects, stopped };
  } finally {
    clearTimeout(timer);
    options.signal.removeEventListener('abort', onAbort);
    stop.abort();
  }
}

function endEarly(session: Session, why: string): void {
  session.stopped ??= why;
  session.stop.abort();
}

async function measureLookup({ deps, name, stop }: Session): Promise<MeasurementView['lookup']> {
  const holders: { source: string; zone: string }[] = [];
  const startedMs = deps.nowMs();
  let outcome: LookupOutcome = 'timeout';
  try {
    outcome = await deps.mirror.lookup(
      name.digest ?? nameOf(name),
      (found) => holders.push(...found.map(({ member }) => ({ source: member.id, zone: member.zone }))),
      stop.signal,
    );
  } catch {
    // Given up: the measurement says so.
  }
  return { outcome, tookMs: deps.nowMs() - startedMs, holders };
}

async function readImage(session: Session, reference: string, indexesLeft: number): Promise<void> {
  const { limits, architecture } = session;
  const manifest = await readManifest(
    (take) => readObject(session, 'manifest', reference, take),
    limits.manifestMaxBytes,
  );
  if (manifest === undefined) return;
  const { children, platforms } = manifest;
  const wanted = platforms.find(
    ({ platform }) => platform?.os === 'linux' && platform.architecture === ociArchitecture(architecture),
  );
  const next = wanted ?? platforms[0];
  if (next !== undefined) {
    if (indexesLeft > 0 && isDigest(next.digest)) await readImage(session, next.digest, indexesLeft - 1);
    else session.stopped ??= 'ended: an index of indexes, or one that names no digest';
    return;
  }
  const queue = [...new Map(children.map((child) => [child.digest, child])).values()];
  const work = async (): Promise<void> => {
    for (let child = queue.shift(); child !== undefined; child = queue.shift()) await readBlob(session, child);
  };
  await Promise.all(Array.from({ length: layersAtOnce }, work));
}

async function readBlob(session: Session, { digest }: Descriptor): Promise<void> {
  if (session.stopped !== null || !isDigest(digest)) return;
  if (session.objects.length >= session.limits.measureObjectsMax) endEarly(session, 'ended: enough layers were read');
  else await readObject(session, 'blob', digest, () => undefined);
}

/** Reads one answer to its end; `take` gets borrowed bytes. False when there was no success. */
async function readObject(
  session: Session,
  resource: 'manifest' | 'blob',
  reference: string,
  take: (bytes: Uint8Array) => void,
): Promise<boolean> {
  const { deps, name, stop, ownContent, limits } = session;
  const target = `/v2/${name.repository}/${resource}s/${reference}?ns=${encodeURIComponent(name.registry)}`;
  const startedMs = deps.nowMs();
  const told: { timeline: ObjectTimeline | undefined; beganUs: number } = { timeline: undefined, beganUs: 0 };
  const onEvent = (event: PullEvent): void => {
    if (event.type === 'start') {
      told.timeline = new ObjectTimeline(event, limits);
      told.beganUs = event.atUs;
    }
    told.timeline?.add(event);
  };
  const read = { status: 0, bytes: 0, sizeBytes: null as number | null, headMs: 0 };
  try {
    const answer = await deps.mirror.measure({ method: 'GET', target, headers: {} }, stop.signal, {
      ownContent,
      onEvent,
    });
    read.status = answer.status;
    read.headMs = deps.nowMs() - startedMs;
    if (answer.status < 300) read.sizeBytes = Number(answer.headers['content-length']);
    if (answer.body !== undefined && answer.status < 300) {
      await drain(session, answer.body, (bytes) => {
        read.bytes += bytes.byteLength;
        take(bytes);
      });
    } else await answer.body?.return();
  } catch (error) {
    session.stopped ??= `${reference}: ${reasonOf(error)}`;
  }
  const seen = told.timeline?.view(told.beganUs);
  const { sources = [], steps = [] } = seen ?? {};
  session.objects.push({ key: reference, resource, ...read, tookMs: deps.nowMs() - startedMs, sources, steps });
  return read.status > 0 && read.status < 300 && read.bytes === read.sizeBytes;
}

async function drain(session: Session, body: Body, take: (bytes: Uint8Array) => void): Promise<void> {
  try {
    for (;;) {
      const { done, value } = await body.next();
      if (done === true) return;
      // A node's chunks are bytes.
      if (value instanceof Uint8Array) take(value);
      session.bytesLeft -= value.byteLength;
      if (session.bytesLeft < 0) endEarly(session, 'ended: enough bytes were read');
    }
  } finally {
    await body.return();
  }
}
