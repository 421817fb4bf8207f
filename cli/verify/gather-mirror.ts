import type { Reading } from './check.ts';
import type { Facts } from './facts.ts';
import type { MirrorClient } from './mirror-client.ts';
import { reading } from './reading.ts';

/** A reason is a line: whatever else answers there may send a book. */
const reasonMaxLength = 200;

export async function gatherMirror(
  client: MirrorClient,
  signal: AbortSignal,
): Promise<Pick<Facts, 'mirror' | 'ready' | 'members'>> {
  const [mirror, ready, members] = await Promise.all([
    reading(signal, async () => {
      const answer = await client.registry('/v2/', {}, signal);
      await answer.body?.cancel();
      return answer.status;
    }),
    reading(signal, async () => {
      const answer = await client.registry('/readyz', {}, signal);
      const text = await answer.text();
      return { status: answer.status, reason: text.trim().slice(0, reasonMaxLength) };
    }),
    gatherMembers(client, signal),
  ]);
  return { mirror, ready, members };
}

function gatherMembers(
  client: MirrorClient,
  signal: AbortSignal,
): Promise<Reading<{ total: number; connected: number; mode: string }>> {
  return reading(signal, async () => {
    const answer = await client.metrics('/metrics', signal);
    const text = await answer.text();
    if (answer.status !== 200) throw new Error(`it answers ${answer.status}`);
    return {
      total: gauge(text, 'peili_members'),
      connected: gauge(text, 'peili_members_connected'),
      mode: /^peili_mode\{mode="([\w-]+)"\} 1$/m.exec(text)?.[1] ?? 'on',
    };
  });
}

function gauge(text: string, name: string): number {
  const [, value] = new RegExp(`^${name} (\\d+)$`, 'm').exec(text) ?? [];
  if (value === undefined) throw new Error(`it has no ${name}`);
  return Number(value);
}
