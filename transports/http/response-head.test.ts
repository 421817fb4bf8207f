import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { createHeadReader } from './response-head.ts';
import type { HeadOutcome } from './response-head.ts';
import { understoodByNode, understoodByUndici } from './testing/complete-clients.ts';
import type { CompleteClient } from './testing/complete-clients.ts';
import { bytesOf, hostileHeads } from './testing/hostile-heads.ts';

const maxBytes = 1024;

function read(text: string, method: 'GET' | 'HEAD' = 'GET'): HeadOutcome {
  return createHeadReader(method, maxBytes).read(bytesOf(text));
}

/** The outcome when the bytes come in pieces that end at `cuts`. */
function readInPieces(bytes: Uint8Array, cuts: readonly number[], method: 'GET' | 'HEAD'): HeadOutcome {
  const reader = createHeadReader(method, maxBytes);
  for (const cut of cuts.toSorted((a, b) => a - b)) {
    const outcome = reader.read(bytes.subarray(0, cut));
    if (outcome.kind !== 'more') return outcome;
  }
  return reader.read(bytes);
}

test('head: a plain answer is read to the byte', () => {
  const head = 'HTTP/1.1 206 Partial Content\r\nContent-Length: 5\r\nX-A:  one \t\r\nx-a: two\r\nX-Empty:\r\n\r\n';
  assert.deepEqual(read(`${head}hello`), {
    kind: 'plain',
    head: {
      status: 206,
      headers: { 'content-length': '5', 'x-a': 'one, two', 'x-empty': '' },
      bodyBytes: 5,
      persistent: true,
      headBytes: head.length,
    },
  });
});

test('head: HEAD, 204 and 304 have no body, whatever their length says', () => {
  for (const [status, method, length] of [
    [200, 'HEAD', 'content-length: 7\r\n'],
    [404, 'HEAD', ''],
    [204, 'GET', ''],
    [304, 'GET', 'content-length: 7\r\n'],
  ] as const) {
    const outcome = read(`HTTP/1.1 ${String(status)} x\r\n${length}\r\n`, method);
    assert.equal(outcome.kind === 'plain' && outcome.head.bodyBytes, 0);
  }
});

test('head: connection: close ends the connection, in any case and any list', () => {
  for (const value of ['close', 'Close', 'keep-alive, CLOSE', 'close ,x']) {
    const outcome = read(`HTTP/1.1 200 OK\r\ncontent-length: 1\r\nconnection: ${value}\r\n\r\n`);
    assert.equal(outcome.kind === 'plain' && outcome.head.persistent, false);
  }
});

test('head: what is HTTP but not plain is left to a complete client', () => {
  for (const text of [
    'HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n',
    'HTTP/1.1 200 OK\r\n\r\n',
    'HTTP/1.1 100 Continue\r\n\r\n',
    'HTTP/1.0 200 OK\r\ncontent-length: 5\r\n\r\n',
  ]) {
    assert.equal(read(text).kind, 'other', text);
  }
});

const ambiguous: readonly string[] = [
  'content-length: 5\r\ncontent-length: 5',
  'content-length: 5\r\ncontent-length: 6',
  'content-length: 5, 5',
  'content-length: 5\r\ntransfer-encoding: chunked',
  'transfer-encoding: gzip, chunked',
  'transfer-encoding: chunked\r\ntransfer-encoding: chunked',
  'content-length: +5',
  'content-length: -5',
  'content-length: 05',
  'content-length: 0x5',
  'content-length: 9007199254740993',
  'content-length: ',
  'content-length: 5 ',
  'content-length : 5',
  'content-length: 5\r\n x: y',
  'content-length: 5\nx: y',
  'content-length: 5\r\nx: \0',
  'content-length: 5\rx: y',
  'content-length: 5\r\nx y: z',
  'content-length: 5\r\n: y',
  'content-length: 5\r\nx',
];
for (const lines of ambiguous) {
  test(`head: ${JSON.stringify(lines)} is refused`, () => {
    assert.equal(read(`HTTP/1.1 200 OK\r\n${lines}\r\n\r\n`).kind, 'malformed');
  });
}

test('head: a status line is what RFC 9112 says, and is missed at the first byte that differs', () => {
  for (const line of ['HTTP/1.1 200', 'HTTP/1.1  200 OK', 'HTTP/1.2 200 OK', 'HTTP/1.1 099 x', 'HTTP/1.1 600 x', 'x']) {
    assert.equal(read(`${line}\r\ncontent-length: 5\r\n\r\n`).kind, 'malformed', line);
  }
  assert.equal(read('S').kind, 'malformed');
  assert.equal(read('HTTP/1.').kind, 'more');
});

test('head: its size is bounded, to the byte', () => {
  const withPadding = (bytes: number): string => {
    const text = 'HTTP/1.1 200 OK\r\ncontent-length: 5\r\nx: ';
    return `${text}${'a'.repeat(bytes - text.length - 4)}\r\n\r\n`;
  };
  assert.equal(read(withPadding(maxBytes)).kind, 'plain');
  assert.equal(read(withPadding(maxBytes + 1)).kind, 'malformed');
});

test('head: a long run of blanks takes no longer than any other text', () => {
  const blanks = ' '.repeat(60_000);
  const text = `HTTP/1.1 200 OK\r\ncontent-length: 5\r\nx: a${blanks}b\r\n\r\n`;
  const startMs = performance.now();
  assert.equal(createHeadReader('GET', 64 * 1024).read(bytesOf(text)).kind, 'plain');
  // A quadratic reader takes seconds.
  assert.ok(performance.now() - startMs < 500);
});

test('head: any bytes give an outcome, the same however they are split', () => {
  const bytes = fc.oneof(
    fc.uint8Array({ maxLength: 64 }),
    hostileHeads.map(bytesOf),
    fc.tuple(hostileHeads, fc.nat(), fc.integer({ min: 0, max: 255 })).map(([text, at, byte]) => {
      const mutated = bytesOf(text);
      if (mutated.byteLength > 0) mutated[at % mutated.byteLength] = byte;
      return mutated;
    }),
  );
  fc.assert(
    fc.property(
      bytes,
      fc.array(fc.nat(80), { maxLength: 6 }),
      fc.constantFrom('GET', 'HEAD'),
      (input, cuts, method) => {
        const whole = createHeadReader(method, maxBytes).read(input);
        assert.deepEqual(readInPieces(input, cuts, method), whole);
        if (whole.kind === 'plain') {
          assert.ok(whole.head.headBytes <= input.byteLength && Number.isSafeInteger(whole.head.bodyBytes));
        }
      },
    ),
    { numRuns: 3000 },
  );
});

/** What is plain to us has the same status, fields and end to a complete client; one byte less is not the end. */
async function assertAgrees(client: CompleteClient, text: string, method: 'GET' | 'HEAD'): Promise<boolean> {
  const outcome = read(text, method);
  if (outcome.kind !== 'plain' || outcome.head.bodyBytes > 100) return false;
  const { status, headers, bodyBytes, headBytes } = outcome.head;
  const head = bytesOf(text.slice(0, headBytes));
  const answer = Buffer.concat([head, Buffer.alloc(bodyBytes, 'b')]);
  // Far more turns than an answer takes; a client that waits for more would otherwise hang the test.
  assert.deepEqual(await client(method, answer, 200), { status, headers, bodyBytes });
  if (bodyBytes > 0) assert.equal(await client(method, answer.subarray(0, -1), 6), undefined);
  return true;
}

for (const [name, client, numRuns] of [
  ['node:http', understoodByNode, 1000],
  ['undici', understoodByUndici, 300],
] as const) {
  test(`head: where it is plain, ${name} reads the same`, async () => {
    let plain = 0;
    await fc.assert(
      fc.asyncProperty(hostileHeads, fc.constantFrom('GET', 'HEAD'), async (text, method) => {
        if (await assertAgrees(client, text, method)) plain += 1;
      }),
      { numRuns },
    );
    assert.ok(plain > numRuns / 20, `only ${String(plain)} heads were plain`);
  });
}
