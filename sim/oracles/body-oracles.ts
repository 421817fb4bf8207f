import { askedRange } from '../reference/asked-range.ts';
import { liarsOf } from './lies.ts';
import type { OracleFactory } from './oracle.ts';
import { KnownSizes } from './known-sizes.ts';

/** S1: every byte to a client is the content's byte at that offset, unless a source was made to lie. */
export const bytesAreTheContents: OracleFactory = ({ scenario, seen, violate }) => {
  const isLying = liarsOf(scenario).size > 0;
  return {
    on: {
      bytes: (event) => {
        const { exchange } = seen;
        if (exchange?.isOwnMirrors !== true) return;
        const { content } = exchange;
        if (event.isWrong && !isLying)
          violate(`a wrong byte of ${content?.digest} from ${exchange.to.host.name}, and nobody lies`);
        if (content === undefined || exchange.status === undefined || exchange.status >= 300) return;
        const offset = exchange.nextOffset - event.bytes;
        if (event.blob === undefined) {
          if (content.bytes === undefined)
            violate(`bytes that are no content's stand in ${content.digest} at ${offset}`);
          return;
        }
        if (event.blob !== content.id) violate(`bytes of another content for ${content.digest}`);
        if (event.offset !== offset) {
          violate(`the bytes at offset ${event.offset} of ${content.digest} stand where those at ${offset} belong`);
        }
      },
    },
  };
};

/** S2: a body ends cleanly if and only if exactly the promised bytes were sent. */
export const endsAreHonest: OracleFactory = ({ seen, violate }) => ({
  on: {
    'exchange-end': ({ how }) => {
      const { exchange } = seen;
      if (exchange?.isOwnMirrors !== true || exchange.promisedBytes === undefined) return;
      const { bytes, promisedBytes, target } = exchange;
      const isWhole = bytes === promisedBytes;
      if ((how === 'complete' || how === 'short') && !isWhole)
        violate(`${target} ended cleanly after ${bytes} of ${promisedBytes} bytes`);
      if (how === 'fin' && isWhole && promisedBytes > 0)
        violate(`${target} ended with FIN after all of its ${bytes} bytes`);
      if (how === 'surplus') violate(`${target} gave more than the ${promisedBytes} bytes that it had promised`);
      if (bytes > promisedBytes) violate(`${target} gave ${bytes} bytes and had promised ${promisedBytes}`);
    },
  },
});

/** A range is answered as asked (L5), on GET and HEAD: 206 with exactly these bytes, 200 for the whole, 416 where there are none; no other success. */
export const rangesAreExact: OracleFactory = ({ scenario, seen, violate, world }) => {
  const sizes = new KnownSizes(scenario, world);
  return {
    on: {
      head: ({ status, headers }) => {
        const { exchange } = seen;
        if (exchange?.isOwnMirrors !== true || exchange.content === undefined) return;
        if (status !== 200 && status !== 206 && status !== 416) return;
        const { content, method, range, target, to } = exchange;
        const wanted = expectedHead(range, content.sizeBytes);
        const length = status === 416 ? '' : headers['content-length'];
        const given = [status, length, headers['content-range'] ?? ''].join(' ');
        if (given !== wanted && !sizes.isBelieved(to, content))
          violate(`${method} ${target} with range ${range}: ${given}, not ${wanted}`);
      },
      'exchange-end': ({ how }) => {
        sizes.note(seen.exchange, how);
      },
    },
  };
};

/** Status, Content-Length and Content-Range. */
function expectedHead(range: string | undefined, sizeBytes: number): string {
  const asked = askedRange(range, sizeBytes);
  if (asked === 'whole') return `200 ${sizeBytes} `;
  if (asked === 'unsatisfiable') return `416  bytes */${sizeBytes}`;
  const { start, end } = asked;
  return `206 ${end - start} bytes ${start}-${end - 1}/${sizeBytes}`;
}
