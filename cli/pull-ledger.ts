import { localSourceId } from '../core/index.ts';
import type { NodeEvent, Observer, PullEvent, SourceId } from '../core/index.ts';

/** What one node's pulls came from, told from its events. Requests of other mirrors are left out: they are somebody else's pulls. */
export interface PullLedger {
  readonly observer: Observer;
  /** Bytes by the member that gave them; the node's own store is left out. */
  bytesBySource(): ReadonlyMap<SourceId, number>;
  resumes(): readonly ResumePoint[];
  /** How many keys the node has said that it holds. */
  advertisedKeys(): number;
  /** Who gives this content's bytes now. */
  currentSource(key: string): SourceId | undefined;
}

export interface ResumePoint {
  readonly key: string;
  readonly source: SourceId;
  readonly at: number;
}

export function createPullLedger(): PullLedger {
  const keys = new Map<number, string>();
  const bytes = new Map<SourceId, number>();
  const current = new Map<string, SourceId>();
  const resumes: ResumePoint[] = [];
  const node = { advertisedKeys: 0 };

  const onPull = (event: PullEvent): void => {
    if (event.type === 'start' && !event.mirrored) keys.set(event.pullId, event.key);
    const key = keys.get(event.pullId);
    if (key === undefined) return;
    if (event.type === 'head') current.set(key, event.source);
    if (event.type === 'bytes' && event.source !== localSourceId) {
      bytes.set(event.source, (bytes.get(event.source) ?? 0) + event.to - event.from);
    }
    if (event.type === 'resume') resumes.push({ key, source: event.source, at: event.at });
    if (event.type === 'end') keys.delete(event.pullId);
  };

  const onNode = (event: NodeEvent): void => {
    if (event.type === 'advertised') node.advertisedKeys = event.keys;
  };

  return {
    observer: { onPull, onNode },
    advertisedKeys: () => node.advertisedKeys,
    bytesBySource: () => bytes,
    resumes: () => resumes,
    currentSource: (key) => current.get(key),
  };
}
