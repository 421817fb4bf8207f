import fc from 'fast-check';

/** Pieces of heads, good and bad; every second field is one that decides where a message ends. */
const statusLines = [
  'HTTP/1.1 200 OK',
  'HTTP/1.1 200 OK',
  'HTTP/1.1 206 Partial Content',
  'HTTP/1.1 404 Not Found',
  'HTTP/1.1 204 No Content',
  'HTTP/1.1 304 Not Modified',
  'HTTP/1.1 503 ',
  'HTTP/1.1 503',
  'HTTP/1.1 100 Continue',
  'HTTP/1.1 101 Switching Protocols',
  'HTTP/1.0 200 OK',
  'HTTP/1.2 200 OK',
  'HTTP/2.0 200 OK',
  'HTTP/11 200 OK',
  'HTTP/1.1  200 OK',
  'HTTP/1.1\t200 OK',
  'HTTP/1.1 0200 OK',
  'HTTP/1.1 20 OK',
  'HTTP/1.1 +20 OK',
  'HTTP/1.1 600 Odd',
  'HTTP/1.1 099 Odd',
  'HTTP/1.1 200OK',
  ' HTTP/1.1 200 OK',
  'http/1.1 200 OK',
  'HTTP/1.1 200 \u00e9t\u00e9',
  'HTTP/1.1 200 O\0K',
  'HTTP/1.1 200 O\rK',
  'ICY 200 OK',
  'SSH-2.0-OpenSSH_9.9',
  '',
];
const fields = [
  'content-length: 5',
  'Content-Length: 5',
  'content-length: 0',
  'content-length: 12',
  'content-length:7',
  'content-length:\t5 \t',
  'content-length: +5',
  'content-length: -5',
  'content-length: 05',
  'content-length: 5, 5',
  'content-length: 5 5',
  'content-length: 5\u00a0',
  'content-length: 0x5',
  'content-length: 5.0',
  'content-length: 5e1',
  'content-length: ',
  'content-length: 9007199254740993',
  'content-length: 99999999999999999999999999',
  'content-length : 5',
  ' content-length: 5',
  'content-length\t: 5',
  'content-length\0: 5',
  'content_length: 5',
  'content-length; 5',
  'transfer-encoding: chunked',
  'Transfer-Encoding: Chunked',
  'transfer-encoding: gzip, chunked',
  'transfer-encoding: identity',
  'transfer-encoding: xchunked',
  'transfer-encoding: ',
  'transfer-encoding : chunked',
  'connection: close',
  'connection: keep-alive',
  'connection: Keep-Alive, Close',
  'connection: upgrade',
  'upgrade: h2c',
  'content-type: application/octet-stream',
  'docker-content-digest: sha256:abc',
  'x-twice: a',
  'x-twice: b',
  'x-empty:',
  'x-blanks:   \t  ',
  'x-text: \u00ff\u0080',
  'x-control: a\u0001b',
  'x-del: a\u007fb',
  'x-return: a\rb',
  'x-feed: a\nb',
  'x-fold: a\r\n b',
  'x-fold: a\r\n\tb',
  '__proto__: x',
  ': no name',
  'no colon',
  '(x): y',
  'x y: z',
];

/** Heads of answers as text, one character a byte: good ones, hostile ones, and mixtures. */
export const hostileHeads: fc.Arbitrary<string> = fc
  .record({
    status: fc.oneof(
      { weight: 3, arbitrary: fc.constantFrom(...statusLines.slice(0, 7)) },
      fc.constantFrom(...statusLines),
    ),
    fields: fc.oneof(
      fc
        .tuple(
          fc.constantFrom(...fields.slice(0, 6)),
          fc.array(fc.constantFrom(...fields.slice(31, 43)), { maxLength: 4 }),
        )
        .map(([length, others]) => [...others, length]),
      fc.array(fc.constantFrom(...fields), { maxLength: 5 }),
    ),
    lineEnd: fc.oneof(
      { weight: 9, arbitrary: fc.constant('\r\n') },
      fc.constantFrom('\n', '\r', '\r\r\n', '\n\r\n', '\r\n ', ' \r\n'),
    ),
    end: fc.oneof({ weight: 9, arbitrary: fc.constant('\r\n') }, fc.constantFrom('\n', '', '\r', ' \r\n', '\r\n\r\n')),
  })
  .map(({ status, fields: lines, lineEnd, end }) => [status, ...lines].map((line) => line + lineEnd).join('') + end);

export function bytesOf(text: string): Uint8Array {
  return Uint8Array.from(text, (character) => character.charCodeAt(0) & 0xff);
}
