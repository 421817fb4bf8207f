import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import type { TestContext } from 'node:test';
import { promisify } from 'node:util';
import { errorCodeOf } from '../../core/index.ts';
import type { MembershipChange, NodeEvent, RecordBatch, RecordsHandler } from '../../core/index.ts';
import { createTestNodes, meeting, neverAborted, seenBy, staticBootstrap, until } from './testing/nodes.ts';
import type { TestNodes } from './testing/nodes.ts';

const key = 'ab'.repeat(32);
const batch: RecordBatch = {
  incarnation: 1,
  sequence: 1,
  complete: true,
  add: [{ key }],
  withdraw: [],
  ttlUs: 1_000_000,
};
const silent: RecordsHandler = {
  onBatch: () => undefined,
  onLookup: () => ({ holders: [], warming: false, closer: [] }),
};

function nodesFor(context: TestContext, changes: Parameters<typeof createTestNodes>[0] = {}): TestNodes {
  const nodes = createTestNodes(changes);
  context.after(nodes.dispose);
  return nodes;
}

function isCode(...codes: string[]): (thrown: unknown) => boolean {
  return (thrown) => codes.includes(errorCodeOf(thrown) ?? '');
}

test('members: a third is learned through the first, as a hint with its own place, and answers', async (context) => {
  const nodes = nodesFor(context);
  const first = await nodes.start();
  const second = await nodes.start({ bootstrap: staticBootstrap(first), zone: 'b', registryPort: 5002 });
  const third = await nodes.start({ bootstrap: staticBootstrap(first), zone: 'c', registryPort: 5003 });
  second.records.serve(silent);
  const member = await meeting(third, second);
  assert.deepEqual([...member.position], [...second.membership.self.position]);
  assert.deepEqual([member.zone, member.registryPort, member.kind], ['b', 5002, 'peili']);
  await third.records.send(member, batch, neverAborted());
  await until('it is connected', () => seenBy(third, second)?.connected === true);
});

test('members: a restart under the same identity has a higher incarnation, and the records stream goes on', async (context) => {
  const dataDir = await mkdtemp(join(tmpdir(), 'peili-restart-'));
  context.after(() => rm(dataDir, { recursive: true }));
  const nodes = nodesFor(context);
  const first = await nodes.start();
  const changes: MembershipChange[] = [];
  first.membership.watch((change) => changes.push(change));
  const old = await nodes.start({ dataDir, bootstrap: staticBootstrap(first) });
  const before = await meeting(first, old);
  old.records.serve(silent);
  await first.records.send(before, batch, neverAborted());
  await old.dispose();
  const again = await nodes.start({ dataDir, bootstrap: staticBootstrap(first) });
  again.records.serve(silent);
  assert.equal(again.peerId, old.peerId);
  await until('the restart is said', () => changes.some(({ type }) => type === 'restarted'));
  const after = await meeting(first, again);
  assert.ok(after.incarnation > before.incarnation);
  await first.records.send(after, batch, neverAborted());
});

test('members: an old id is gone when another one answers at its address', async (context) => {
  const nodes = nodesFor(context);
  const first = await nodes.start();
  const old = await nodes.start({ bootstrap: staticBootstrap(first) });
  await meeting(first, old);
  const routerAddress = `127.0.0.1:${old.addresses[0]?.split('/')[4] ?? ''}`;
  await old.dispose();
  await until('its connection is gone', () => seenBy(first, old)?.connected === false);
  const successor = await nodes.start({ routerAddress });
  const member = await meeting(first, old);
  await assert.rejects(first.records.lookup(member, key, neverAborted()), isCode('MEMBER_UNREACHABLE'));
  await until('the old one is gone', () => seenBy(first, old) === undefined);
  await meeting(first, successor);
});

test('members: an unreachable one is not dialled again at once, and who was only heard of is forgotten', async (context) => {
  const nodes = nodesFor(context);
  const first = await nodes.start();
  const gone = await nodes.start({ bootstrap: staticBootstrap(first) });
  const member = await meeting(first, gone);
  const third = await nodes.start({ bootstrap: staticBootstrap(first) });
  const hint = await meeting(third, gone);
  await gone.dispose();
  await until('its connection is gone', () => seenBy(first, gone)?.connected === false);
  for (let turn = 0; turn < 3; turn += 1) {
    const startedMs = performance.now();
    await assert.rejects(first.records.send(member, batch, neverAborted()), isCode('MEMBER_UNREACHABLE'));
    assert.ok(performance.now() - startedMs < 1000);
  }
  assert.equal(seenBy(first, gone)?.connected, false);
  await assert.rejects(third.records.lookup(hint, key, neverAborted()), isCode('MEMBER_UNREACHABLE'));
  await until('the hint is forgotten', () => seenBy(third, gone) === undefined);
});

test('members: who could not be reached is left alone for a while', async (context) => {
  const nodes = nodesFor(context);
  const first = await nodes.start();
  const gone = await nodes.start({ bootstrap: staticBootstrap(first) });
  const member = await meeting(first, gone);
  await gone.dispose();
  await until('its connection is gone', () => seenBy(first, gone)?.connected === false);
  const dials = { count: 0 };
  const listener = createServer((socket) => {
    dials.count += 1;
    socket.destroy();
  });
  await new Promise<void>((resolve) => {
    listener.listen(Number(gone.addresses[0]?.split('/')[4]), '127.0.0.1', resolve);
  });
  context.after(() => listener.close());
  await assert.rejects(first.records.send(member, batch, neverAborted()), isCode('MEMBER_UNREACHABLE'));
  // None, where it was dialled before anybody listened there: then it is left alone already.
  const dialled = dials.count;
  for (let turn = 0; turn < 5; turn += 1) {
    await assert.rejects(first.records.send(member, batch, neverAborted()), isCode('MEMBER_UNREACHABLE'));
  }
  assert.equal(dials.count, dialled);
});

test('records: a member at whose address something accepts and never answers is unreachable within the bound', async (context) => {
  const nodes = nodesFor(context);
  const first = await nodes.start();
  const gone = await nodes.start({ bootstrap: staticBootstrap(first) });
  await meeting(first, gone);
  const third = await nodes.start({ bootstrap: staticBootstrap(first) }, {}, { memberDialTimeoutUs: 150_000 });
  const member = await meeting(third, gone);
  await gone.dispose();
  const mute = createServer();
  await new Promise<void>((resolve) => {
    mute.listen(Number(gone.addresses[0]?.split('/')[4]), '127.0.0.1', resolve);
  });
  context.after(() => mute.close());
  const startedMs = performance.now();
  await assert.rejects(third.records.lookup(member, key, neverAborted()), isCode('MEMBER_UNREACHABLE'));
  assert.ok(performance.now() - startedMs < 1000);
});

test('records: giving up one lookup leaves the others alone', async (context) => {
  const nodes = nodesFor(context, { transport: 'memory' });
  const first = await nodes.start();
  const second = await nodes.start({ bootstrap: staticBootstrap(first) });
  first.records.serve({ ...silent, onLookup: () => ({ holders: [], warming: true, closer: [] }) });
  const member = await meeting(second, first);
  const scope = new AbortController();
  const given = second.records.lookup(member, key, scope.signal);
  const kept = second.records.lookup(member, key, neverAborted());
  scope.abort();
  await assert.rejects(given, isCode('ABORTED'));
  assert.equal((await kept).warming, true);
});

test('bootstrap: a name that lists this node too; nobody dials itself, and a late name is found', async (context) => {
  const nodes = nodesFor(context, { transport: 'memory' });
  const addresses: string[] = [];
  const bootstrapSources = {
    resolveHost: () =>
      addresses.length === 0 ? Promise.reject(new Error('no such name')) : Promise.resolve(addresses),
    fetchText: () => Promise.reject(new Error('not asked')),
  };
  const bootstrap = { kind: 'dns', host: 'mirrors' } as const;
  const start = (host: string) => nodes.start({ routerAddress: `${host}:5001`, bootstrap }, { bootstrapSources });
  const [a, b, c] = await Promise.all(['10.9.0.1', '10.9.0.2', '10.9.0.3'].map(start));
  assert.ok(a && b && c);
  assert.deepEqual(a.readiness(), { ready: false, reason: 'no member met yet' });
  addresses.push('10.9.0.1', '10.9.0.2', '10.9.0.3');
  await until('all know all', () => [a, b, c].every(({ membership }) => membership.members().length === 2));
  assert.ok([a, b, c].every((node) => node.readiness().ready));
});

test('readiness: alone by choice, alone by bootstrap, or with a member; told once', async (context) => {
  const nodes = nodesFor(context, { transport: 'memory' });
  assert.equal((await nodes.start()).readiness().ready, true);
  const bootstrapSources = {
    resolveHost: () => Promise.resolve(['10.9.1.1']),
    fetchText: () => Promise.reject(new Error()),
  };
  const events: NodeEvent[] = [];
  const observer = { onPull: () => undefined, onNode: (event: NodeEvent) => void events.push(event) };
  const alone = await nodes.start(
    { routerAddress: '10.9.1.1:5001', bootstrap: { kind: 'dns', host: 'mirrors' } },
    { bootstrapSources, observer },
  );
  await until('it knows that it is alone', () => alone.readiness().ready);
  assert.equal(alone.readiness().reason, 'bootstrap names this node alone');
  await until('that is told', () => events.some(({ type }) => type === 'ready'));
  assert.equal(events.filter(({ type }) => type === 'ready').length, 1);
});

test('start: an address in use and a bad identity have their own codes', async (context) => {
  const nodes = nodesFor(context);
  const first = await nodes.start();
  const routerAddress = `127.0.0.1:${first.addresses[0]?.split('/')[4] ?? ''}`;
  await assert.rejects(nodes.start({ routerAddress }), (thrown) => {
    assert.equal(errorCodeOf(thrown), 'ADDRESS_IN_USE');
    assert.match(
      String(thrown),
      /: something else listens on 127\.0\.0\.1, port \d+ already: choose another port or stop it$/,
    );
    return true;
  });
  await assert.rejects(nodes.start({ routerAddress: '192.0.2.1:5001' }), isCode('ADDRESS_INVALID'));
  await assert.rejects(nodes.start({ routerAddress: 'nonsense' }), isCode('ADDRESS_INVALID'));
});

test('addresses: exactly one is announced, also when all are listened at', async (context) => {
  const nodes = nodesFor(context);
  const node = await nodes.start({ routerAddress: '0.0.0.0:0' });
  assert.equal(node.addresses.length, 1);
  const [parsed] = [JSON.parse(node.bootstrapDocument()) as { ID: string; Addrs: string[] }];
  assert.deepEqual(parsed, {
    ID: node.peerId,
    Addrs: node.addresses.map((address) => address.replace(/\/p2p\/.*/, '')),
  });
});

test('dispose: the process ends by itself', async () => {
  const program = `
    import { createTestNodes, meeting, staticBootstrap, neverAborted } from ${JSON.stringify(new URL('testing/nodes.ts', import.meta.url))};
    const nodes = createTestNodes();
    const a = await nodes.start();
    const b = await nodes.start({ bootstrap: staticBootstrap(a) });
    const member = await meeting(b, a);
    await b.records.lookup(member, 'ab'.repeat(32), neverAborted());
    await nodes.dispose();
    console.log('disposed');
  `;
  const { stdout } = await promisify(execFile)(process.execPath, ['--input-type=module', '-e', program], {
    timeout: 10_000,
  });
  assert.equal(stdout.trim(), 'disposed');
});
