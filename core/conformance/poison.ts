import type { Body, Chunk, ContentStore, PeerClient } from '../ports/index.ts';

/** A chunk to lend, and how to make it worthless when its time is over. */
export interface Poisoned {
  readonly lent: Chunk;
  spoil(): void;
}

/**
 * The port with bodies whose chunks are overwritten as soon as they are no longer lent: at the next `next()` or `return()`.
 * Whoever keeps a borrowed chunk then has wrong bytes, which a test notices.
 *
 * For tests of what reads bodies. The suites look at ports without it: it lends copies, and so hides a source that changes what it has lent.
 */
export function poisonBodies<Port extends ContentStore | PeerClient>(
  port: Port,
  poison: (chunk: Chunk) => Poisoned = poisonBytes,
): Port {
  const wrapped = { ...port };
  if (isStore(port)) {
    const open: ContentStore['open'] = async (...call) => poisonBody(await port.open(...call), poison);
    return Object.assign(wrapped, { open });
  }
  const fetch: PeerClient['fetch'] = async (...call) => {
    const { body, ...head } = await port.fetch(...call);
    return body === undefined ? head : { ...head, body: poisonBody(body, poison) };
  };
  return Object.assign(wrapped, { fetch });
}

export function poisonBody(body: Body, poison: (chunk: Chunk) => Poisoned = poisonBytes): Body {
  let held: Poisoned | undefined;
  const spoil = (): void => {
    held?.spoil();
    held = undefined;
  };
  return {
    next: async () => {
      spoil();
      const step = await body.next();
      if (step.done === true) return step;
      held = poison(step.value);
      return { done: false, value: held.lent };
    },
    return: () => {
      spoil();
      return body.return();
    },
  };
}

/** The bytes are copied first: some bodies lend what is also kept elsewhere. */
function poisonBytes(chunk: Chunk): Poisoned {
  if (!(chunk instanceof Uint8Array)) throw new TypeError('this chunk is no Uint8Array: say how to spoil it');
  const lent = Uint8Array.from(chunk);
  return { lent, spoil: () => void lent.fill(0xdb) };
}

function isStore(port: ContentStore | PeerClient): port is ContentStore {
  return 'open' in port;
}
