import assert from 'node:assert/strict';
import { test } from 'node:test';
import { relayedSteps, tellPull } from './event-fixture.ts';
import { combineObservers } from './combine-observers.ts';
import { createLogObserver, createLogger } from './logs.ts';
import type { LogLevel } from './registry-options.ts';
import type { PullStep } from '../core/index.ts';

function capture({ level = 'INFO', requestLog = false }: { level?: LogLevel; requestLog?: boolean } = {}) {
  const lines: Record<string, unknown>[] = [];
  const time = { nowUs: 0 };
  const logger = createLogger(level, { write: (line: string) => void lines.push(JSON.parse(line)) });
  const observer = createLogObserver(logger, { nowUs: () => time.nowUs }, { requestLog });
  const said = (): Record<string, unknown>[] =>
    lines.splice(0).map(({ time: at, ...rest }) => (assert.match(String(at), /^\d{4}-.*Z$/), rest));
  return { observer, said, time };
}

test('log: with the request log one line for a pull, with its sources and why they changed', () => {
  const { observer, said } = capture({ requestLog: true });
  tellPull(observer, 7, { range: 'bytes=0-' }, relayedSteps);
  assert.deepEqual(said(), [
    {
      level: 'INFO',
      pullId: 7,
      asker: 'client',
      method: 'GET',
      resource: 'blob',
      key: 'sha256:ab',
      registry: 'docker.io',
      repository: 'library/demo',
      range: 'bytes=0-',
      status: 200,
      end: 'complete',
      bytes: 100,
      tookMs: 2100,
      sources: { 'peer-a': 60, 'peer-b': 40 },
      lookup: { outcome: 'found', sources: 2, tookMs: 3 },
      notes: [
        { stalled: 'peer-a', at: 60, waitedMs: 2000 },
        { failed: 'peer-a', reason: 'PEER_STALLED' },
        { from: 'peer-a', to: 'peer-b', at: 60, reason: 'PEER_STALLED' },
        { resumed: 'peer-b', at: 60 },
      ],
      msg: 'pull',
    },
  ]);
});

test('log: a pull of many troubles stays one line of bounded length', () => {
  const { observer, said } = capture({ requestLog: true });
  const troubles = Array.from({ length: 1000 }, (_, at): PullStep => ({ type: 'resume', source: 'peer-a', at }));
  tellPull(observer, 1, {}, [...troubles, ...relayedSteps]);
  const [line = {}] = said();
  assert.equal((line['notes'] as unknown[]).length, 32);
  assert.equal(line['notesDropped'], 1000 + 4 - 32);
});

test('log: without the request log a pull is silent, a liar never is', () => {
  const { observer, said } = capture();
  tellPull(observer, 7, {}, relayedSteps);
  assert.deepEqual(said(), []);
  tellPull(observer, 8, {}, [{ type: 'liar', source: 'peer-a', digest: 'sha256:ab' }]);
  assert.deepEqual(said(), [
    {
      level: 'ERROR',
      pullId: 8,
      source: 'peer-a',
      digest: 'sha256:ab',
      msg: 'a source sent bytes that do not match the digest',
    },
  ]);
});

test('log: readiness when it changes, wrong content always', () => {
  const { observer, said } = capture();
  for (const ready of [false, false, true, true, false]) observer.onNode({ type: 'ready', ready, reason: 'why' });
  assert.deepEqual(
    said().map(({ msg }) => msg),
    ['not ready', 'ready', 'not ready'],
  );
  observer.onNode({ type: 'content-wrong', digest: 'sha256:ab' });
  observer.onNode({ type: 'content-wrong', digest: 'sha256:ab' });
  assert.deepEqual(
    said().map(({ level, digest }) => [level, digest]),
    [
      ['ERROR', 'sha256:ab'],
      ['ERROR', 'sha256:ab'],
    ],
  );
});

test('log: a name is skipped once, the same failure of the store once a minute', () => {
  const { observer, said, time } = capture();
  for (let at = 0; at < 3; at += 1) {
    observer.onNode({ type: 'name-skipped', name: 'latest', reason: 'no reference' });
    observer.onNode({ type: 'store-failed', reason: 'EIO' });
    time.nowUs += 29_000_000;
  }
  assert.deepEqual(
    said().map(({ msg }) => msg),
    ['a name in the content store is not served', 'reading the content store failed'],
  );
  time.nowUs += 29_000_000;
  observer.onNode({ type: 'name-skipped', name: 'latest', reason: 'no reference' });
  observer.onNode({ type: 'store-failed', reason: 'EIO' });
  observer.onNode({ type: 'store-failed', reason: 'EACCES' });
  assert.deepEqual(
    said().map(({ reason }) => reason),
    ['EIO', 'EACCES'],
  );
});

test('log: a canary that arrived is a line, one that did not is a warning that says what to look at', () => {
  const { observer, said } = capture();
  observer.onNode({ type: 'canary', arrived: true, outcome: 'arrived', reason: 'it asked', tookUs: 80_500 });
  observer.onNode({ type: 'canary', arrived: false, outcome: 'not-asked', reason: 'see config_path', tookUs: 1 });
  assert.deepEqual(
    said().map(({ level, msg, outcome, reason }) => [level, msg, outcome, reason]),
    [
      ['INFO', 'canary arrived', 'arrived', 'it asked'],
      ['WARN', 'canary did not arrive', 'not-asked', 'see config_path'],
    ],
  );
});

test('log: the level keeps the rest out', () => {
  const tell = (level: LogLevel): number => {
    const { observer, said } = capture({ level });
    observer.onNode({ type: 'members', total: 1, connected: 1 });
    observer.onNode({ type: 'ready', ready: true, reason: '' });
    observer.onNode({ type: 'advertise-failed', member: 'peer-a', reason: 'x' });
    observer.onNode({ type: 'store-failed', reason: 'EIO' });
    return said().length;
  };
  assert.deepEqual((['DEBUG', 'INFO', 'WARN', 'ERROR'] as const).map(tell), [4, 3, 2, 1]);
});

test('observers: combined, each is told everything in order', () => {
  const told: string[] = [];
  const named = (name: string) => ({
    onPull: (event: { type: string }) => void told.push(`${name} ${event.type}`),
    onNode: (event: { type: string }) => void told.push(`${name} ${event.type}`),
  });
  const both = combineObservers(named('a'), named('b'));
  both.onNode({ type: 'draining' });
  both.onPull({ type: 'resume', source: 'x', at: 1, pullId: 1, atUs: 0 });
  assert.deepEqual(told, ['a draining', 'b draining', 'a resume', 'b resume']);
});
