import { localSourceId } from '../../core/index.ts';
import type { Limits, PullEvent } from '../../core/index.ts';
import type { ImagePullView } from './snapshot.ts';
import { ObjectTimeline, sourcesOf } from './timeline.ts';

export type PullLogBounds = Pick<Limits, 'viewPullsMax' | 'viewObjectsMax' | 'viewStepsMax' | 'viewPullGapUs'>;

/** The last pulls of this node's clients, request by request, put together to images. */
export interface PullLog {
  add(event: PullEvent): void;
  /** Content that nobody had came into the store, so long after its 404. */
  arrived(digest: string, sizeBytes: number, atUs: number, tookUs: number): void;
  /** The latest first; `wallOfUs` is the wall time of a monotonic time, both microseconds. */
  views(wallOfUs: (us: number) => number): ImagePullView[];
  /** What the pull is part of: the image as far as it is known, and which peers have given bytes of the object. */
  partOf(pullId: number): { readonly image: string; readonly peers: readonly string[] } | undefined;
}

interface ImagePull {
  readonly name: string;
  tag: string | undefined;
  readonly beganUs: number;
  readonly objects: Map<string, ObjectTimeline>;
  objectsDropped: number;
}

export function createPullLog(bounds: PullLogBounds): PullLog {
  const images: ImagePull[] = [];
  const open = new Map<number, { readonly image: ImagePull; readonly object: ObjectTimeline }>();

  const begin = (event: PullEvent & { readonly type: 'start' }): void => {
    const name = event.registry === undefined ? event.repository : `${event.registry}/${event.repository}`;
    const tag = event.key.startsWith(`${name}:`) ? event.key.slice(name.length + 1) : undefined;
    const image = imageFor(images, name, tag, event.atUs, bounds);
    image.tag ??= tag;
    const object = objectFor(image, event, bounds);
    if (object === undefined) {
      image.objectsDropped += 1;
      return;
    }
    open.set(event.pullId, { image, object });
    object.add(event);
  };

  return {
    add: (event) => {
      if (event.type === 'start') {
        if (!event.mirrored) begin(event);
        return;
      }
      open.get(event.pullId)?.object.add(event);
      if (event.type === 'end') open.delete(event.pullId);
    },
    arrived: (digest, sizeBytes, atUs, tookUs) => {
      images
        .find(({ objects }) => objects.has(digest))
        ?.objects.get(digest)
        ?.arrived(sizeBytes, atUs, tookUs);
    },
    views: (wallOfUs) => images.map((image) => viewOf(image, wallOfUs)),
    partOf: (pullId) => {
      const found = open.get(pullId);
      if (found === undefined) return undefined;
      const peers = [...found.object.sources.keys()].filter((source) => source !== localSourceId);
      return { image: nameOf(found.image), peers };
    },
  };
}

/** Requests for one repository that follow one another belong to one pull; a second tag is a second image. */
function imageFor(
  images: ImagePull[],
  name: string,
  tag: string | undefined,
  atUs: number,
  { viewPullGapUs, viewPullsMax }: PullLogBounds,
): ImagePull {
  const recent = images.find(
    (image) =>
      image.name === name &&
      (tag === undefined || image.tag === undefined || image.tag === tag) &&
      (isOpen(image) || atUs - lastUs(image) < viewPullGapUs),
  );
  if (recent !== undefined) return recent;
  const image: ImagePull = { name, tag, beganUs: atUs, objects: new Map(), objectsDropped: 0 };
  images.unshift(image);
  if (images.length > viewPullsMax) images.pop();
  return image;
}

function objectFor(
  image: ImagePull,
  event: PullEvent & { readonly type: 'start' },
  bounds: PullLogBounds,
): ObjectTimeline | undefined {
  const known = image.objects.get(event.key);
  if (known !== undefined || image.objects.size >= bounds.viewObjectsMax) return known;
  const object = new ObjectTimeline(event, bounds);
  image.objects.set(event.key, object);
  return object;
}

function isOpen({ objects }: ImagePull): boolean {
  return objects.values().some((object) => object.isOpen);
}

function lastUs({ objects, beganUs }: ImagePull): number {
  return objects.values().reduce((last, object) => Math.max(last, object.lastUs), beganUs);
}

function nameOf({ name, tag }: ImagePull): string {
  return tag === undefined ? name : `${name}:${tag}`;
}

function viewOf(image: ImagePull, wallOfUs: (us: number) => number): ImagePullView {
  const objects = [...image.objects.values()];
  const sources = new Map<string, number>();
  for (const object of objects) {
    for (const [source, bytes] of object.sources) sources.set(source, (sources.get(source) ?? 0) + bytes);
  }
  return {
    image: nameOf(image),
    atMs: Math.round(wallOfUs(image.beganUs) / 1000),
    tookMs: (lastUs(image) - image.beganUs) / 1000,
    open: isOpen(image),
    bytes: objects.reduce((sum, { bytes }) => sum + bytes, 0),
    sources: sourcesOf(sources),
    objects: objects.map((object) => object.view(image.beganUs)),
    objectsDropped: image.objectsDropped,
  };
}
