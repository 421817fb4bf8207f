import assert from 'node:assert/strict';
import { test } from 'node:test';
import { authorizationOf } from '../../transports/index.ts';
import { openFixture } from './cluster-fixture.ts';

const basicAuth = { username: 'peili', password: 'secret' };
const known = { headers: { authorization: authorizationOf(basicAuth) } };

test('basic auth: mirrors that know it feed each other, and whoever asks one', async (context) => {
  const { ask, node, image, pullOn, untilAdvertised, events } = await openFixture(context, {
    nodes: 2,
    layersMiB: [1],
    node: () => ({ basicAuth }),
  });
  await pullOn(0);
  await untilAdvertised(0);
  const { digest, size } = image.root;
  const path = `/v2/${image.repository}/manifests/${digest}?ns=${image.registry}`;
  assert.equal((await ask(1, path)).status, 401);
  const answer = await ask(1, path, known);
  assert.equal(answer.status, 200);
  assert.equal((await answer.bytes()).byteLength, size);
  assert.ok(events[1]?.some((event) => event.type === 'bytes' && event.source === node(0).running.peerId));
});

test('basic auth: a mirror with another secret gets nothing, and its client is sent upstream', async (context) => {
  const { ask, image, pullOn, untilAdvertised, nodeEvents } = await openFixture(context, {
    nodes: 2,
    layersMiB: [1],
    node: (index) => ({ basicAuth: index === 0 ? basicAuth : { ...basicAuth, password: 'other' } }),
  });
  await pullOn(0);
  await untilAdvertised(0);
  const path = `/v2/${image.repository}/manifests/${image.root.digest}?ns=${image.registry}`;
  const other = { headers: { authorization: authorizationOf({ ...basicAuth, password: 'other' }) } };
  assert.equal((await ask(1, path, other)).status, 404);
  assert.ok(nodeEvents[0]?.some((event) => event.type === 'unauthorized' && event.mirrored));
});
