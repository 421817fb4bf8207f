import * as v from 'valibot';
import type { ObjectSource } from './facts.ts';
import type { MirrorClient } from './mirror-client.ts';
import { reading } from './reading.ts';

/** What is read of `DebugSnapshot`. */
const snapshotSchema = v.object({
  members: v.object({ list: v.array(v.object({ id: v.string(), address: v.string() })) }),
  pulls: v.array(
    v.object({
      objects: v.array(
        v.object({
          pulls: v.array(
            v.object({
              pullId: v.number(),
              sources: v.array(v.object({ source: v.string(), bytes: v.number() })),
            }),
          ),
        }),
      ),
    }),
  ),
});

/** Where the debug view is served for programs. */
const debugPath = '/debug/web/api';

/** Whom the bytes of pulls came from, as the mirror itself tells it; nothing of those that it does not know any more, or when it does not tell. */
export async function sourcesOf(
  client: MirrorClient,
  pullIds: readonly number[],
  signal: AbortSignal,
): Promise<ReadonlyMap<number, readonly ObjectSource[]>> {
  if (pullIds.length === 0) return new Map();
  const told = await reading(signal, async () => {
    const answer = await client.metrics(debugPath, signal);
    return v.parse(snapshotSchema, await answer.json());
  });
  if (told.type === 'failed') return new Map();
  const addresses = new Map(told.value.members.list.map(({ id, address }) => [id, address]));
  // An object may have been asked for before: by containerd, a moment ago.
  const requests = told.value.pulls.flatMap(({ objects }) => objects.flatMap(({ pulls }) => pulls));
  return new Map(
    pullIds.flatMap((pullId) => {
      const request = requests.find((candidate) => candidate.pullId === pullId);
      if (request === undefined || request.sources.length === 0) return [];
      const sources = request.sources.map(({ source, bytes }) => ({ source, address: addresses.get(source), bytes }));
      return [[pullId, sources] as const];
    }),
  );
}
