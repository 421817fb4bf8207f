import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  digesterSuite,
  membershipSuite,
  observerSuite,
  probeSuite,
  recordsSuite,
} from '../../core/conformance/index.ts';
import type { ClusterNode, ClusterSubject } from '../../core/conformance/index.ts';
import { limitsWith } from '../../core/index.ts';
import { Catalogue } from '../content/catalogue.ts';
import { Kernel } from '../kernel/kernel.ts';
import { Life } from '../kernel/life.ts';
import { createSimRandom } from '../kernel/random.ts';
import { FlowNetwork } from '../network/flow-network.ts';
import { Host } from '../network/host.ts';
import { Passage } from '../network/passage.ts';
import type { Party } from '../network/party.ts';
import { Trace } from '../run/trace.ts';
import { Directory } from './directory.ts';
import type { Seat } from './directory.ts';
import { Discovery } from './discovery.ts';
import { emptyRoster } from './member-view.ts';
import { newSeat } from './new-seat.ts';
import { createSimDigester } from './sim-digester.ts';
import { createSimMembership } from './sim-membership.ts';
import { createSimObserver } from './sim-observer.ts';
import { createSimProbe } from './sim-probe.ts';
import { createSimRecords } from './sim-records.ts';

const kernel = new Kernel({ drain: 'tick' });
const pause = async (): Promise<void> => {
  await kernel.run({ untilUs: kernel.nowUs() + 2_000 });
};
const tools = { test, assert, pause };
const limits = limitsWith({});

digesterSuite({
  ...tools,
  manifest: { name: 'simulated', supports: {} },
  factory: () => {
    const digester = createSimDigester(() => catalogue);
    const catalogue = new Catalogue(digester);
    return { digester };
  },
});

membershipSuite({
  ...tools,
  manifest: { name: 'simulated', supports: { join: true, stop: true, restart: true } },
  factory: async () => createCluster(),
});

recordsSuite({
  ...tools,
  manifest: { name: 'simulated', supports: { stop: true } },
  factory: async () => createCluster(),
});

observerSuite({
  ...tools,
  manifest: { name: 'simulated', supports: {} },
  factory: () => ({ observer: createSimObserver(new Trace(new Kernel()), 'n0') }),
});

for (const rarely of [0, 4]) {
  probeSuite({
    ...tools,
    manifest: {
      name: `simulated, ${rarely} in 64`,
      supports: { quiet: rarely === 0 ? true : 'this one asks for rare behaviour' },
    },
    factory: () => ({ probe: createSimProbe(new Trace(new Kernel()), 'n0', createSimRandom(1), rarely) }),
  });
}

/** Mirrors without a mirror: members and records alone, that meet as those of a world do. */
function createCluster(): ClusterSubject {
  const flows = new FlowNetwork(kernel);
  const directory = new Directory(kernel, { latencyUs: () => 200, passage: new Passage(), limits, knownMax: 128 });
  const digester = createSimDigester(() => new Catalogue(digester));
  const seats: Seat[] = [];
  const nodes: ClusterNode[] = [];
  const begin = (seat: Seat, isSettled: boolean): ClusterNode => {
    seat.party.life = new Life(kernel);
    const incarnation = Math.max(seat.self.incarnation + 1, kernel.nowUs() + 1);
    seat.self = Object.freeze({ ...seat.self, incarnation });
    new Discovery(directory, seat, createSimRandom(7).fork(seat.self.id), { limits, isSettled }).start();
    return { membership: createSimMembership(seat), records: createSimRecords(seat, directory) };
  };
  const add = (zone: string): Seat => {
    const name = `n${seats.length}`;
    const host = new Host(flows, {
      name,
      zone,
      upBytesPerSecond: 1e8,
      downBytesPerSecond: 1e8,
      mirrorBytesPerSecond: 1e9,
    });
    const party: Party = { host, role: 'mirror', life: new Life(kernel), server: undefined };
    const seat = newSeat(name, party, 'peili', directory, digester);
    directory.add(seat);
    seats.push(seat);
    return seat;
  };
  const stop = (index: number): Seat => {
    const seat = seats[index];
    if (seat === undefined) throw new RangeError('no such node');
    seat.party.life.end();
    seat.handler = undefined;
    seat.listeners.clear();
    seat.view.share(emptyRoster);
    directory.links.drop(seat);
    return seat;
  };
  for (const zone of ['a', 'b', '']) nodes.push(begin(add(zone), true));
  directory.acquaint();
  return {
    nodes,
    join: async () => begin(add(''), false),
    stop: async (index) => {
      stop(index);
    },
    restart: async (index) => begin(stop(index), false),
    close: () => {
      for (const seat of seats) seat.party.life.end();
    },
  };
}
