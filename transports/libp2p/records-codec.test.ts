import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { errorCodeOf } from '../../core/index.ts';
import { decodeEndpoint, encodeEndpoint } from './endpoint-bytes.ts';
import { createPeerIds } from './peer-ids.ts';
import { decodeRecordsMessage, encodeRecordsMessage } from './records-codec.ts';
import type { RecordsMessage } from './records-codec.ts';
import { createWireWriter } from './wire.ts';

const ids = createPeerIds(1000);
const count = fc.maxSafeNat();
const key = fc.uint8Array({ minLength: 32, maxLength: 32 }).map((bytes) => Buffer.from(bytes).toString('hex'));
const id = fc
  .uint8Array({ minLength: 32, maxLength: 32 })
  .map((bytes) => ids.toText(Buffer.concat([Uint8Array.of(0x00, 0x24, 0x08, 0x01, 0x12, 0x20), bytes])));
const endpoint = fc
  .tuple(
    fc.oneof(fc.uint8Array({ minLength: 4, maxLength: 4 }), fc.uint8Array({ minLength: 16, maxLength: 16 })),
    fc.nat(65_535),
  )
  .map(([address, port]) => decodeEndpoint(Buffer.concat([address, Uint8Array.of(port >> 8, port & 255)])));
const zone = fc.string({ unit: 'grapheme', maxLength: 20 });
const registryPort = fc.integer({ min: 1, max: 65_535 });
const endpoints = fc.array(endpoint, { maxLength: 3 });
const member = fc.record({
  id,
  endpoints,
  registryPort,
  kind: fc.constantFrom('peili', 'spegel'),
  zone,
  incarnation: count,
});
const tag = fc.record({ digest: fc.string(), ageUs: count });
/** Plain keys come before tags: that order is lost on the wire. */
const entries = fc
  .tuple(fc.array(fc.record({ key })), fc.array(fc.record({ key, tag })))
  .map(([plain, tagged]) => [...plain, ...tagged]);
const batch = fc.record(
  {
    incarnation: count,
    sequence: count,
    complete: fc.boolean(),
    add: entries,
    withdraw: fc.array(key),
    ttlUs: count,
    freeSlots: count,
  },
  { requiredKeys: ['incarnation', 'sequence', 'complete', 'add', 'withdraw', 'ttlUs'] },
);
const holder = fc.record({ member, tag, freeSlots: count }, { requiredKeys: ['member'] });
const answer = fc.record({ holders: fc.array(holder), warming: fc.boolean(), closer: fc.array(member) });
const message = fc.oneof(
  fc.record({
    type: fc.constant('hello'),
    hello: fc.record({ registryPort, zone, incarnation: count, version: zone, endpoints }),
  }),
  fc.record({ type: fc.constant('batch'), id: count, batch }),
  fc.record({ type: fc.constant('accepted'), id: count }),
  fc.record({ type: fc.constant('refused'), id: count, code: fc.constantFrom('QUOTA_EXCEEDED', 'x') }),
  fc.record({ type: fc.constant('lookup'), id: count, key }),
  fc.record({ type: fc.constant('answer'), id: count, answer }),
  fc.record({ type: fc.constant('members-wanted'), id: count }),
  fc.record({ type: fc.constant('members'), id: count, members: fc.array(member) }),
) as fc.Arbitrary<RecordsMessage>;

test('records codec: every message comes out as it went in', () => {
  fc.assert(
    fc.property(message, (sent) => {
      const plain = (value: unknown): unknown => JSON.parse(JSON.stringify(value));
      assert.deepEqual(plain(decodeRecordsMessage(encodeRecordsMessage(sent, ids), ids)), plain(sent));
    }),
  );
});

test('records codec: any bytes are a message, a later one, or RECORDS_INVALID', () => {
  const spoilt = fc.tuple(message, fc.nat(), fc.nat(255)).map(([sent, at, byte]) => {
    const bytes = encodeRecordsMessage(sent, ids).slice();
    bytes[at % bytes.byteLength] = byte;
    return bytes;
  });
  const cut = fc.tuple(message, fc.nat()).map(([sent, at]) => {
    const bytes = encodeRecordsMessage(sent, ids);
    return bytes.subarray(0, at % bytes.byteLength);
  });
  fc.assert(
    fc.property(fc.oneof(fc.uint8Array({ maxLength: 200 }), spoilt, cut), (bytes) => {
      try {
        decodeRecordsMessage(bytes, ids);
      } catch (thrown) {
        assert.equal(errorCodeOf(thrown), 'RECORDS_INVALID');
      }
    }),
    { numRuns: 500 },
  );
});

test('records codec: fields and types of a later version are skipped', () => {
  const sent = encodeRecordsMessage({ type: 'lookup', id: 7, key: 'ab'.repeat(32) }, ids);
  const later = createWireWriter().varint(15, 9).text(16, 'new').finish();
  assert.deepEqual(
    decodeRecordsMessage(Buffer.concat([later, sent, Uint8Array.of(0x99, 0x01, 1, 2, 3, 4, 5, 6, 7, 8)]), ids),
    {
      type: 'lookup',
      id: 7,
      key: 'ab'.repeat(32),
    },
  );
  assert.equal(decodeRecordsMessage(createWireWriter().varint(1, 99).varint(2, 1).finish(), ids), undefined);
});

test('records codec: addresses are 4 or 16 bytes and a port', () => {
  for (const host of [
    '10.0.0.7',
    '255.255.255.255',
    '::1',
    'fd00:10:244::7',
    '2001:db8::',
    '::ffff:10.0.0.1',
    '1:2:3:4:5:6:7:8',
  ]) {
    assert.deepEqual(decodeEndpoint(encodeEndpoint({ host, port: 5001 })), { host, port: 5001 });
  }
});
