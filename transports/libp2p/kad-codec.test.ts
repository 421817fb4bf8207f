import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { test } from 'node:test';
import fc from 'fast-check';
import { CID } from 'multiformats/cid';
import * as Digest from 'multiformats/hashes/digest';
import { multiaddr } from '@multiformats/multiaddr';
import { errorCodeOf } from '../../core/index.ts';
import { decodeKadMessage, encodeKadMessage, kadTypes, multihashOf, routingKeyOf } from './kad-codec.ts';

const rawCodec = 0x55;

test('kad keys: the CIDs of the wire protocol', () => {
  const golden: Record<string, string> = {
    foobar: 'bafkreigdvoh7cnza5cwzar65hfdgwpejotszfqx2ha6uuolaofgk54ge6i',
    'docker.io/library/busybox:1.37.0': 'bafkreifdixuobjojcs6sm3w52326ep262547uydcgu5g5vge432a5tk4na',
    'sha256:7582c2cc65ef30105b84c1c6812f71c8012663c6352b01fe2f483238313ab0ed':
      'bafkreiab5r5yor2ewnlretykrl7w5y4rrzrs6g7rvja7pzxa3pf7wpcgx4',
  };
  for (const [text, cid] of Object.entries(golden)) {
    const key = createHash('sha256').update(text).digest('hex');
    assert.equal(CID.createV1(rawCodec, Digest.decode(multihashOf(key))).toString(), cid);
    assert.equal(routingKeyOf(multihashOf(key)), key);
  }
});

test('kad messages: ADD_PROVIDER and GET_PROVIDERS to the byte', () => {
  // By hand: field 1 varint; field 2 with 34 bytes; field 9 holds field 1 with 38 bytes and field 2 with 8 bytes.
  const key = 'c3ab8ff13720e8ad9047dd39466b3c8974e592c2fa383d4a3960714caef0c4f2';
  const peer = `00240801 1220${'11'.repeat(32)}`.replace(' ', '');
  const address = '040a00000706' + '1389';
  const addProvider = `0802` + `1222` + `1220${key}` + `4a32` + `0a26${peer}` + `1208${address}`;
  assert.equal(address, Buffer.from(multiaddr('/ip4/10.0.0.7/tcp/5001').bytes).toString('hex'));
  const provider = { id: Buffer.from(peer, 'hex'), addresses: [Buffer.from(address, 'hex')] };
  const added = encodeKadMessage({
    type: kadTypes.addProvider,
    key: multihashOf(key),
    closer: [],
    providers: [provider],
  });
  assert.equal(Buffer.from(added).toString('hex'), addProvider);
  const asked = encodeKadMessage({ type: kadTypes.getProviders, key: multihashOf(key), closer: [], providers: [] });
  assert.equal(Buffer.from(asked).toString('hex'), `0803` + `1222` + `1220${key}`);
  const decoded = decodeKadMessage(Buffer.from(addProvider, 'hex'));
  assert.equal(decoded.type, kadTypes.addProvider);
  assert.deepEqual(
    decoded.providers.map(({ id }) => Buffer.from(id).toString('hex')),
    [peer],
  );
});

test('kad messages: what goes in comes out, and any bytes are a message or RECORDS_INVALID', () => {
  const bytes = fc.uint8Array({ maxLength: 40 });
  const peers = fc.array(fc.record({ id: bytes, addresses: fc.array(bytes, { maxLength: 3 }) }), { maxLength: 4 });
  fc.assert(
    fc.property(fc.record({ type: fc.nat(9), key: bytes, closer: peers, providers: peers }), (message) => {
      const hex = (value: unknown): string =>
        JSON.stringify(value, (_name, inner: unknown) =>
          inner instanceof Uint8Array ? Buffer.from(inner).toString('hex') : inner,
        );
      assert.deepEqual(hex(decodeKadMessage(encodeKadMessage(message))), hex(message));
    }),
  );
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 120 }), (any) => {
      try {
        decodeKadMessage(any);
      } catch (thrown) {
        assert.equal(errorCodeOf(thrown), 'RECORDS_INVALID');
      }
    }),
    { numRuns: 500 },
  );
});
