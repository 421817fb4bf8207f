import type { Records } from '../../core/index.ts';
import { planted, plantInMembership, plantInRecords, subjects } from './testing/planted.ts';

// Each suite is run on a memory implementation with one bug in it, and must name the law that it breaks.

planted('records: the sender is taken from the message', /all pairs/, (tools, hasBug) => {
  const fake = subjects.cluster().nodes[0]?.membership.self;
  plantInRecords(tools, hasBug, (records) => ({
    serve: (handler) =>
      records.serve({
        onLookup: (asker, key) => handler.onLookup(asker, key),
        onBatch: (sender, batch) => handler.onBatch(fake ?? sender, batch),
      }),
  }));
});
planted('records: unknown free slots arrive as 0', /what was not said/, (tools, hasBug) => {
  plantInRecords(tools, hasBug, (records) => ({
    send: (member, batch, signal) => records.send(member, { freeSlots: 0, ...batch }, signal),
  }));
});
planted('records: a large batch is cut', /3,000 keys/, (tools, hasBug) => {
  plantInRecords(tools, hasBug, (records) => ({
    send: (member, batch, signal) => records.send(member, { ...batch, add: batch.add.slice(0, 1_000) }, signal),
  }));
});
planted('records: answers are mixed up', /32 lookups/, (tools, hasBug) => {
  plantInRecords(tools, hasBug, (records) => {
    let last: Promise<Awaited<ReturnType<Records['lookup']>>> | undefined;
    return { lookup: (member, key, signal) => (last ??= records.lookup(member, key, signal)) };
  });
});
planted('records: a stopped member is silently skipped', /MEMBER_UNREACHABLE/, (tools, hasBug) => {
  plantInRecords(tools, hasBug, (records) => ({
    send: (member, batch, signal) => records.send(member, batch, signal).catch(() => undefined),
  }));
});

planted('membership: a node is its own member', /and not itself/, (tools, hasBug) => {
  plantInMembership(tools, hasBug, ({ membership, records }) => ({
    records,
    membership: { ...membership, members: () => [...membership.members(), membership.self] },
  }));
});
planted('membership: members() is a new array each time', /the same array/, (tools, hasBug) => {
  plantInMembership(tools, hasBug, ({ membership, records }) => ({
    records,
    membership: { ...membership, members: () => [...membership.members()] },
  }));
});
planted('membership: a restart is a mere update', /a restarted member/, (tools, hasBug) => {
  plantInMembership(tools, hasBug, ({ membership, records }) => ({
    records,
    membership: {
      ...membership,
      watch: (listener) =>
        membership.watch((change) => listener(change.type === 'restarted' ? { ...change, type: 'updated' } : change)),
    },
  }));
});
planted('membership: joining is not said', /a new member is said/, (tools, hasBug) => {
  plantInMembership(tools, hasBug, ({ membership, records }) => ({
    records,
    membership: { ...membership, watch: () => () => undefined },
  }));
});
