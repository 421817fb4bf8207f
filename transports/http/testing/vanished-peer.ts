import { connect } from 'node:net';
import type { Socket } from 'node:net';
import { Worker } from 'node:worker_threads';

export interface VanishedPeer {
  readonly port: number;
  close(): Promise<void>;
}

/** A listener that never accepts, its queue full: the kernel drops what else comes, as if the node were gone. */
const source = `
  const { createServer } = require('node:net');
  const { parentPort } = require('node:worker_threads');
  const server = createServer().listen({ port: 0, host: '127.0.0.1', backlog: 1 }, () => {
    parentPort.postMessage(server.address().port);
    setImmediate(() => Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0));
  });
`;

export async function vanishedPeer(): Promise<VanishedPeer> {
  const worker = new Worker(source, { eval: true });
  const port = await new Promise<number>((resolve) => worker.once('message', resolve));
  const fillers: Socket[] = [];
  const fill = async (): Promise<boolean> => {
    const socket = connect({ port, host: '127.0.0.1' });
    fillers.push(socket);
    socket.on('error', () => undefined);
    return new Promise((resolve) => {
      const late = setTimeout(resolve, 50, false);
      socket.once('connect', () => {
        clearTimeout(late);
        resolve(true);
      });
    });
  };
  // Some connections may still be accepted before the thread stops; when one is not, none is.
  while (await fill());
  return {
    port,
    close: async () => {
      for (const socket of fillers) socket.destroy();
      await worker.terminate();
    },
  };
}
