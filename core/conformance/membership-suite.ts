import type { MembershipChange } from '../ports/index.ts';
import { areAllAcquainted, memberById, pairOf } from './cluster-subject.ts';
import type { ClusterSubject } from './cluster-subject.ts';
import { createHarness } from './harness.ts';
import type { Manifest, SuiteTools } from './harness.ts';

export type MembershipCapability = 'join' | 'stop' | 'restart';

export interface MembershipSuiteOptions extends SuiteTools {
  readonly manifest: Manifest<MembershipCapability>;
  readonly factory: () => Promise<ClusterSubject>;
}

/** The laws of `Membership`. */
export function membershipSuite({ manifest, factory, ...tools }: MembershipSuiteOptions): void {
  const { assert, law, lawOf, settle, until, pause } = createHarness(tools, 'membership', manifest, factory);

  law('every node comes to know every other, and not itself', async ({ nodes }) => {
    await until('all know all', () => areAllAcquainted(nodes));
    for (const { membership } of nodes) {
      const ids = membership.members().map(({ id }) => id);
      assert.equal(new Set(ids).size, ids.length, 'nobody is there twice');
      assert.ok(!ids.includes(membership.self.id), 'a node is not its own member');
    }
  });

  law('a member is seen as it is', async ({ nodes }) => {
    await until('all know all', () => areAllAcquainted(nodes));
    const { to } = pairOf(nodes);
    const { self } = to.membership;
    const seen = () => nodes.flatMap((node) => (node === to ? [] : (memberById(node, self.id) ?? [])));
    await until('incarnations are known', () => seen().every(({ incarnation }) => incarnation === self.incarnation));
    for (const member of seen()) {
      assert.deepEqual([...member.position], [...self.position]);
      assert.equal(member.position.byteLength, 32);
      assert.equal(member.registryPort, self.registryPort);
      assert.equal(member.kind, self.kind);
      assert.equal(member.zone, self.zone);
    }
  });

  law('addresses are plain IP addresses, ports are ports', async ({ nodes }) => {
    await until('all know all', () => areAllAcquainted(nodes));
    for (const { membership } of nodes) {
      for (const { addresses, registryPort } of membership.members()) {
        assert.ok(addresses.length > 0, 'there is an address');
        for (const address of addresses)
          assert.ok(/^[0-9.]+$|^[0-9a-f:.]+$/.test(address), `${address} is an IP address`);
        assert.ok(
          Number.isInteger(registryPort) && registryPort > 0 && registryPort < 65_536,
          `${registryPort} is a port`,
        );
      }
    }
  });

  law('members() is the same array until something changes', async ({ nodes }) => {
    await until('all know all', () => areAllAcquainted(nodes));
    const { from } = pairOf(nodes);
    let changes = 0;
    const dispose = from.membership.watch(() => {
      changes += 1;
    });
    const before = from.membership.members();
    await pause();
    const after = from.membership.members();
    if (changes === 0) assert.ok(before === after, 'it is the same array');
    dispose();
    dispose();
  });

  lawOf(
    'join',
    'a new member is said once to who watches, after members() has it',
    async ({ nodes, join = absent }) => {
      await until('all know all', () => areAllAcquainted(nodes));
      const { from } = pairOf(nodes);
      const before = from.membership.members();
      const joined: string[] = [];
      const late: MembershipChange[] = [];
      from.membership.watch((change) => late.push(change))();
      const dispose = from.membership.watch((change) => {
        if (change.type !== 'joined') return;
        joined.push(change.member.id);
        assert.ok(memberById(from, change.member.id) !== undefined, 'members() has it when it is said');
      });
      const { membership } = await settle(join());
      await until('the new member is said', () => joined.includes(membership.self.id));
      assert.equal(joined.filter((id) => id === membership.self.id).length, 1);
      assert.ok(from.membership.members() !== before, 'the array is a new one');
      assert.ok(
        before.every(({ id }) => id !== membership.self.id),
        'the old array is as it was',
      );
      assert.equal(late.length, 0, 'who no longer watches hears nothing');
      dispose();
    },
  );

  lawOf(
    'stop',
    'a stopped member is not connected for long, and nothing else is lost',
    async ({ nodes, stop = absent }) => {
      await until('all know all', () => areAllAcquainted(nodes));
      const { from, to } = pairOf(nodes);
      await settle(stop(1));
      await until('it is not connected', () => memberById(from, to.membership.self.id)?.connected !== true);
      const third = nodes[2];
      assert.ok(
        third !== undefined && memberById(from, third.membership.self.id) !== undefined,
        'the others are still known',
      );
    },
  );

  lawOf(
    'restart',
    'a restarted member has a higher incarnation, and that is said',
    async ({ nodes, restart = absent }) => {
      await until('all know all', () => areAllAcquainted(nodes));
      const { from, toMember } = pairOf(nodes);
      await until('its incarnation is known', () => (memberById(from, toMember.id)?.incarnation ?? 0) > 0);
      const said: number[] = [];
      const dispose = from.membership.watch((change) => {
        if (change.type === 'restarted' && change.member.id === toMember.id) said.push(change.member.incarnation);
      });
      const before = memberById(from, toMember.id)?.incarnation ?? 0;
      const { membership } = await settle(restart(1));
      assert.equal(membership.self.id, toMember.id);
      assert.ok(membership.self.incarnation > before, 'the incarnation has grown');
      await until('the restart is said', () => said.includes(membership.self.incarnation));
      assert.equal(memberById(from, toMember.id)?.incarnation, membership.self.incarnation);
      dispose();
    },
  );
}

function absent(): never {
  throw new Error('the manifest promises what the factory does not have');
}
