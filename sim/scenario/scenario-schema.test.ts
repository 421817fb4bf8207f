import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { test } from 'node:test';
import { faultKinds } from './fault-text.ts';
import { scenarioSchema } from './scenario-schema.ts';
import { upstreamProfiles } from './upstream-profiles.ts';

/** Every key that a schema knows, at any depth. */
function keysOf(schema: unknown, keys = new Set<string>()): ReadonlySet<string> {
  if (typeof schema !== 'object' || schema === null) return keys;
  if ('entries' in schema && typeof schema.entries === 'object') {
    for (const [key, value] of Object.entries(schema.entries ?? {})) {
      keys.add(key);
      keysOf(value, keys);
    }
  }
  for (const part of ['item', 'wrapped', 'value'] as const) if (part in schema) keysOf(Reflect.get(schema, part), keys);
  if ('pipe' in schema && Array.isArray(schema.pipe)) keysOf({ ...schema.pipe[0] }, keys);
  if ('getter' in schema && typeof schema.getter === 'function') {
    for (const input of [[], 'text', {}, { pull: '' }, { pod: '' }, { ask: '' }, { trace: '' }])
      keysOf((schema.getter as (value: unknown) => unknown)(input), keys);
  }
  return keys;
}

test('scenario: every key, kind of fault and profile is in the reference', async () => {
  const page = await readFile(new URL('../../docs/reference/scenarios.md', import.meta.url), 'utf8');
  const described = new Set([...page.matchAll(/`([a-zA-Z-]+)`/g)].map(([, name = '']) => name));
  const keys = keysOf(scenarioSchema);
  assert.ok(keys.size > 40, `${keys.size} keys found`);
  const known = [...keys, ...Object.keys(faultKinds), ...Object.keys(upstreamProfiles)];
  assert.deepEqual(
    known.filter((name) => !described.has(name)),
    [],
  );
});
