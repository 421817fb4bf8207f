import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { test } from 'node:test';
import { peerClientSuite } from '../../core/conformance/index.ts';
import type { PeerClientSubject, PeerFault, PeerScript } from '../../core/conformance/index.ts';
import { limitsWith } from '../../core/index.ts';
import type { PeerRequest } from '../../core/index.ts';
import { Kernel } from '../kernel/kernel.ts';
import { Life } from '../kernel/life.ts';
import { Directory } from '../node/directory.ts';
import type { Seat } from '../node/directory.ts';
import { newSeat } from '../node/new-seat.ts';
import { createSimPeers } from '../node/sim-peers.ts';
import { Host } from './host.ts';
import type { HttpFault } from './http-fault.ts';
import type { Party, Server } from './party.ts';
import { Passage } from './passage.ts';
import { bodyOf, twoHosts } from './testing/two-hosts.ts';

const kernel = new Kernel({ drain: 'tick' });
const pause = async (): Promise<void> => {
  await kernel.run({ untilUs: kernel.nowUs() + 20_000 });
};
const limits = limitsWith({});
const digester = {
  hash: (algorithm: string, message: Uint8Array): Uint8Array => createHash(algorithm).update(message).digest(),
};

function subject(): PeerClientSubject {
  const { client, flows, wire, pending } = twoHosts({ answer: () => assert.fail() }, kernel);
  const directory = new Directory(kernel, { latencyUs: () => 200, passage: new Passage(), limits, knownMax: 128 });
  const self = newSeat('client', client, 'peili', directory, digester);
  const faults = new Map<Party, HttpFault>();
  wire.rule(({ to }) => faults.get(to));
  let count = 0;
  const add = (server: Server | undefined): Seat => {
    count += 1;
    const rates = { upBytesPerSecond: 1e8, downBytesPerSecond: 1e8, mirrorBytesPerSecond: 1e9 };
    const host = new Host(flows, { name: `peer${count}`, zone: '', ...rates });
    const seat = newSeat(
      host.name,
      { host, role: 'mirror', life: new Life(kernel), server },
      'peili',
      directory,
      digester,
    );
    directory.add(seat);
    return seat;
  };
  return {
    client: createSimPeers(self, wire, directory, limits),
    peer: async (script) => {
      const requests: PeerRequest[] = [];
      const seat = add(scripted(script, requests));
      const fault = script.fault === undefined ? undefined : faultOf(script.fault);
      if (fault !== undefined) faults.set(seat.party, fault);
      // A fault acts before the server is asked; who waits for the request is told of it all the same.
      if (script.fault?.type === 'silent') seat.party.server = scripted(script, requests, true);
      if (script.fault?.type === 'silent') faults.delete(seat.party);
      return { member: seat.self, requests: () => requests };
    },
    refusing: async () => add(undefined).self,
    vanished: async () => {
      const seat = add(undefined);
      seat.party.host.unplug();
      return seat.self;
    },
    pending,
  };
}

function scripted({ chunks, headers, status }: PeerScript, requests: PeerRequest[], isSilent = false): Server {
  return {
    answer: async ({ method, target, headers: asked }) => {
      requests.push({ method: method === 'HEAD' ? 'HEAD' : 'GET', target, headers: asked });
      if (isSilent) return new Promise(() => undefined);
      const fields = Object.fromEntries(headers.map(([name, value]) => [name.toLowerCase(), value]));
      return method === 'HEAD'
        ? { status, headers: fields }
        : { status, headers: fields, body: bodyOf(inPackets(chunks)) };
    },
  };
}

/** What is written at once arrives at once: the first byte comes with what follows it. */
function inPackets([first, second, ...others]: readonly Uint8Array[]): Uint8Array[] {
  if (first === undefined) return [];
  return second === undefined ? [first] : [Uint8Array.from([...first, ...second]), ...others];
}

function faultOf(fault: PeerFault): HttpFault {
  switch (fault.type) {
    case 'silent':
      return { kind: 'silent-head' };
    case 'cut':
    case 'stall':
      return { kind: fault.type, atByte: fault.atByte };
    case 'hang-up':
    case 'garbage':
      return { kind: fault.type };
  }
}

peerClientSuite({
  test,
  assert,
  pause,
  manifest: {
    name: 'simulated',
    supports: {
      garbage: true,
      'black-hole': true,
      refusing: true,
      'repeated-headers': 'answers are values here: there is no text in which a field could stand twice',
    },
  },
  factory: async () => subject(),
});
