import assert from 'node:assert/strict';
import { test } from 'node:test';
import { oracles } from './all.ts';
import type { OracleFactory } from './oracle.ts';
import { requestStories } from './testing/request-stories.ts';
import { layerBytes, Stage } from './testing/stage.ts';
import { half, second, whole } from './testing/story.ts';
import type { Story, Tell } from './testing/story.ts';

const stories: Readonly<Record<keyof typeof oracles, Story>> = {
  ...requestStories,
  exchangesAreBounded: {
    right: (stage) => {
      stage.ask(stage.client(0), stage.mirror(0));
      for (let count = 0; count < 50; count += 1) stage.ends(stage.ask(stage.mirror(0), stage.mirror(1)));
    },
    wrong: (stage) => {
      stage.ask(stage.client(0), stage.mirror(0));
      for (let count = 0; count < 50; count += 1) stage.ask(stage.mirror(0), stage.mirror(1));
    },
    says: /n0 has 11 exchanges under way, for 1 requests/,
  },
  timersAreBounded: {
    right: (stage) => {
      stage.starts(0);
    },
    wrong: (stage) => {
      for (let count = 0; count < 60; count += 1) stage.mirror(0).life.schedule(second, () => undefined);
      stage.starts(0);
    },
    says: /n0 has 6[0-9] timers, at most 46/,
  },
  peerBytesAreBounded: {
    scenario: { limits: { windowBytes: layerBytes } },
    right: (stage) => {
      const asked = stage.ask(stage.client(0), stage.mirror(0));
      stage.layerHead(asked);
      stage.starts(0);
      for (let count = 0; count < 5; count += 1) {
        stage.bytes(stage.ask(stage.mirror(0), stage.mirror(1)), 0, layerBytes);
        stage.tells(0, { type: 'attempt-failed', source: 'n1', reason: 'PEER_CLOSED', tookUs: 0 });
      }
    },
    wrong: (stage) => {
      stage.layerHead(stage.ask(stage.client(0), stage.mirror(0)));
      stage.starts(0);
      for (let count = 0; count < 5; count += 1)
        stage.bytes(stage.ask(stage.mirror(0), stage.mirror(1)), 0, layerBytes);
    },
    says: /n0 was sent 80000 bytes of .*, and asked for 20000/,
  },
  coreRecovers: {
    scenario: { heal: { atUs: 10 * second, core: [0] }, untilUs: 100_000 * second },
    right: async (stage) => {
      stage.pull('no-host');
      await stage.wait(20 * second);
      stage.pull('ok');
    },
    wrong: async (stage) => {
      await stage.wait(20 * second);
      stage.pull('no-host');
    },
    says: /the pull of n0 in the healed core failed/,
  },
  nothingIsHeld: {
    right: (stage) => stage.wait(second),
    wrong: async (stage) => {
      const { store } = stage.node(0);
      store.commit(stage.layer);
      await stage.wait(second);
      await store.open(stage.layer.digest, 0, layerBytes, new AbortController().signal);
    },
    says: /n0 has let go of everything, and reads 1 files/,
  },
  missesAreFast: {
    right: (stage) => {
      stage.starts(0);
      stage.endOfPull(0, { reason: 'not-found', status: 404, bytes: 0, tookUs: 25_000 });
      stage.starts(0);
      stage.attempt(0, 'n1');
      stage.endOfPull(0, { reason: 'not-found', status: 404, bytes: 0, tookUs: 2 * second });
    },
    wrong: (stage) => {
      stage.starts(0);
      stage.endOfPull(0, { reason: 'not-found', status: 404, bytes: 0, tookUs: 100_000 });
    },
    says: /n0 took 100000 us to find out that there is nobody to ask, at most 26000/,
  },
  recordsAreTrue: {
    right: async (stage) => {
      stage.node(2).store.commit(stage.layer);
      stage.tellsRouter(1, 2);
      await stage.wait(200 * second);
    },
    wrong: async (stage) => {
      stage.tellsRouter(1, 2);
      await stage.wait(200 * second);
    },
    says: /n1 says that n2 has sha256:.*, which it has not had for 200000000 us/,
  },
  heldIsKnown: {
    right: async (stage) => {
      stage.node(0).store.commit(stage.layer);
      stage.pull('ok');
      await stage.wait(10 * second);
    },
    wrong: async (stage) => {
      stage.node(0).store.disturbEvents({ kind: 'lost' });
      stage.node(0).store.commit(stage.layer);
      stage.pull('ok');
      await stage.wait(10 * second);
    },
    says: /no router knows that n0 has sha256/,
  },
  absentIsNotNamed: {
    right: async (stage) => {
      stage.node(1).store.commit(stage.layer);
      await stage.wait(300 * second);
      stage.ask(stage.mirror(0), stage.mirror(1));
    },
    wrong: async (stage) => {
      await stage.wait(300 * second);
      stage.ask(stage.mirror(0), stage.mirror(1));
    },
    says: /which it has not had for 300000000 us/,
  },
  theDeadAreForgotten: {
    scenario: { faults: [{ atUs: 0, target: 1, what: { kind: 'crash' } }] },
    right: async (stage) => {
      await stage.wait(second);
      stage.ask(stage.mirror(0), stage.mirror(1));
    },
    wrong: async (stage) => {
      await stage.wait(3_000 * second);
      stage.ask(stage.mirror(0), stage.mirror(1));
    },
    says: /has been gone for 3000000000 us/,
  },
  uploadsAreBounded: {
    scenario: { limits: { uploadsMax: 2 } },
    right: (stage) => {
      for (let count = 0; count < 5; count += 1) {
        const exchange = stage.ask(stage.mirror(0), stage.mirror(1));
        stage.layerHead(exchange);
        stage.ends(exchange);
      }
    },
    wrong: (stage) => {
      for (let count = 0; count < 3; count += 1) stage.layerHead(stage.ask(stage.mirror(0), stage.mirror(1)));
    },
    says: /n1 gives 3 bodies at once, of 2/,
  },
  freeSlotsAreGiven: {
    scenario: { limits: { uploadsMax: 1 } },
    right: (stage) => {
      stage.layerHead(stage.ask(stage.mirror(0), stage.mirror(1)));
      stage.head(stage.ask(stage.mirror(2), stage.mirror(1)), 503);
    },
    wrong: async (stage) => {
      const exchange = stage.ask(stage.mirror(0), stage.mirror(1));
      stage.layerHead(exchange);
      stage.ends(exchange, 'ABORTED');
      await stage.wait(2 * second);
      stage.head(stage.ask(stage.mirror(2), stage.mirror(1)), 503);
    },
    says: /n1 turns a mirror away, and gives 0 bodies of 1/,
  },
  standingStillBlamesNobody: {
    scenario: {
      faults: [
        { atUs: 0, target: 0, what: { kind: 'pause' }, untilUs: 5 * second },
        { atUs: 0, target: 2, what: { kind: 'crash' } },
      ],
    },
    right: (stage) => {
      stage.starts(0);
      stage.tells(0, { type: 'stall', source: 'n2', at: 0, waitedUs: 2 * second });
      stage.starts(1);
      stage.tells(1, { type: 'stall', source: 'n2', at: 0, waitedUs: 2 * second });
    },
    wrong: (stage) => {
      stage.starts(0);
      stage.tells(0, { type: 'stall', source: 'n1', at: 0, waitedUs: 5 * second });
    },
    says: /n0 says stall of n1, and stood still itself/,
  },
  slowReadersBlameNobody: {
    scenario: { asks: [{ atUs: 0, node: 0, image: 'docker.io/library/app:1', what: 0, bytesPerSecond: 1 }] },
    right: (stage) => {
      stage.starts(0);
      stage.tells(0, { type: 'switch', from: 'n1', to: 'n2', at: 0, reason: 'faster' });
    },
    wrong: (stage) => {
      stage.starts(0);
      stage.tells(0, { type: 'stall', source: 'n1', at: 0, waitedUs: 2 * second });
    },
    says: /n0 says that n1 stalled/,
  },
  heldIsServed: {
    right: (stage) => {
      stage.node(0).store.commit(stage.layer);
      stage.layerHead(stage.ask(stage.client(0), stage.mirror(0)));
    },
    wrong: async (stage) => {
      stage.node(0).store.commit(stage.layer);
      await stage.wait(second);
      stage.head(stage.ask(stage.client(0), stage.mirror(0)), 404);
    },
    says: /n0 has sha256:.* and answers 404/,
  },
  pullsSucceed: {
    right: (stage) => {
      stage.pull('ok');
    },
    wrong: (stage) => {
      stage.pull('no-host');
    },
    says: /failed \(no-host\), and the upstream was well/,
  },
  peersSuffice: {
    scenario: {
      workload: [0, 1].map((node) => ({ atUs: 0, node, image: 'docker.io/library/app:1' })),
      faults: [{ atUs: 0, target: 'upstream', what: { kind: 'http', fault: { kind: 'refuse' } } }],
    },
    right: (stage) => {
      stage.pull('no-host');
    },
    wrong: async (stage) => {
      stage.world.trace.emit({ type: 'pull-begin', pull: 1, node: 'n1', image: stage.image.name });
      stage.world.trace.emit({ type: 'pull-end', pull: 1, node: 'n1', outcome: 'ok' });
      await stage.wait(20 * second);
      stage.pull('no-host');
    },
    says: /the pull of n0 failed \(no-host\), and n1 has all of it/,
  },
  bodiesGoOn: {
    scenario: { workload: [0, 1].map((node) => ({ atUs: 0, node, image: 'docker.io/library/app:1' })) },
    right: whole([[0, half]], 'fin'),
    wrong: async (stage) => {
      stage.world.trace.emit({ type: 'pull-begin', pull: 1, node: 'n1', image: stage.image.name });
      stage.world.trace.emit({ type: 'pull-end', pull: 1, node: 'n1', outcome: 'ok' });
      await stage.wait(20 * second);
      await whole([[0, half]], 'fin')(stage);
    },
    says: /n0 cuts .*, and n1 has all of it/,
  },
  tagsAreFresh: {
    right: async (stage) => {
      for (const content of [stage.image.root, ...stage.image.layers]) stage.node(1).store.commit(content);
      stage.node(1).store.setTag(stage.image.name, stage.image.root.digest);
      await stage.wait(20 * second);
      stage.tagHead(stage.image.root.digest);
    },
    wrong: async (stage) => {
      stage.node(1).store.setTag(stage.image.name, stage.image.root.digest);
      await stage.wait(20 * second);
      stage.tagHead(stage.layer.digest);
    },
    says: /which nobody has resolved it to lately/,
  },
  nobodyHangs: {
    right: async (stage) => {
      const exchange = stage.ask(stage.client(0), stage.mirror(0));
      await stage.wait(second);
      stage.ends(exchange, 'fin');
      await stage.wait(600 * second);
    },
    wrong: async (stage) => {
      stage.ask(stage.client(0), stage.mirror(0));
      await stage.wait(600 * second);
    },
    says: /nothing for [0-9]+ us, at most/,
  },
  pullsEnd: {
    right: (stage) => {
      stage.pull('ok');
    },
    wrong: (stage) => {
      stage.pull('');
    },
    says: /1 pulls have not ended/,
  },
  nothingIsLeft: {
    right: (stage) => stage.wait(second),
    wrong: (stage) => {
      const { wire } = stage.world;
      const request = { method: 'GET', target: '/v2/', headers: {} };
      const { signal } = new AbortController();
      wire
        .exchange(stage.client(0), stage.mirror(0), request, signal, { dialTimeoutUs: second })
        .catch(() => undefined);
    },
    says: /an exchange is left at rest: n0 asks n0/,
  },
};

for (const name of Object.keys(oracles) as (keyof typeof oracles)[]) {
  const { right, wrong, says, scenario } = stories[name];
  const verdictOf = async (tell: Tell): Promise<string> => {
    const stage = new Stage({ [name]: oracles[name] }, scenario);
    await tell(stage);
    return stage.verdict();
  };

  test(`oracles: ${name} says nothing of what is right, and what is wrong`, async () => {
    assert.equal(await verdictOf(right), '');
    assert.match(await verdictOf(wrong), says);
  });
}

test('oracles: a pull of the healed core that never ends is due at a computed time', async () => {
  const stage = new Stage(
    { coreRecovers: oracles.coreRecovers },
    { heal: { atUs: 10 * second, core: [0] }, untilUs: 100_000 * second },
  );
  stage.pull('');
  await stage.wait(300 * second);
  assert.deepEqual(stage.violations, []);
  await stage.wait(300 * second);
  assert.match(await stage.verdict(), /in the healed core has not ended/);
});

test('oracles: what happens while one of them looks hides nothing of the event from those after it', () => {
  const ids: (number | undefined)[] = [];
  const asks: OracleFactory = ({ world }) => ({
    on: {
      request: () => {
        world.trace.emit({ type: 'probe', node: 'n0', name: 'asked' });
      },
    },
  });
  const looks: OracleFactory = ({ seen }) => ({
    on: {
      request: () => {
        ids.push(seen.exchange?.id);
      },
    },
  });
  const stage = new Stage({ asks, looks });
  const id = stage.ask(stage.client(0), stage.mirror(0));
  assert.deepEqual(ids, [id]);
});
