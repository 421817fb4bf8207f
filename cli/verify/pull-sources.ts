import * as v from 'valibot';
import type { MirrorClient } from './mirror-client.ts';
import { reading } from './reading.ts';

type Sources = Readonly<Record<string, number>>;

const pullsSchema = v.object({
  pulls: v.array(v.object({ pullId: v.number(), sources: v.record(v.string(), v.number()) })),
});

/** Where the debug view is served for programs. */
const debugPath = '/debug/web/api/state';

/** Whom the bytes of pulls came from, as the mirror itself tells it; nothing of those that it does not know any more, or when it does not tell. */
export async function sourcesOf(
  client: MirrorClient,
  pullIds: readonly number[],
  signal: AbortSignal,
): Promise<ReadonlyMap<number, Sources>> {
  if (pullIds.length === 0) return new Map();
  const told = await reading(signal, async () => {
    const answer = await client.metrics(debugPath, signal);
    return v.parse(pullsSchema, await answer.json());
  });
  if (told.type === 'failed') return new Map();
  const wanted = new Set(pullIds);
  return new Map(
    told.value.pulls.flatMap(({ pullId, sources }) => (wanted.has(pullId) ? [[pullId, sources] as const] : [])),
  );
}
