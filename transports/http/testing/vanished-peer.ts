import { connect } from 'node:net';
import type { Socket } from 'node:net';
import { Worker } from 'node:worker_threads';
import { endLater, until } from './loopback.ts';

export interface VanishedPeer {
  readonly port: number;
  close(): Promise<void>;
}

const source = `
  const { createServer } = require('node:net');
  const { parentPort, workerData } = require('node:worker_threads');
  const server = createServer().listen({ port: 0, host: '127.0.0.1', backlog: 1 }, () => {
    parentPort.postMessage(server.address().port);
    setImmediate(() => {
      Atomics.store(workerData, 0, 1);
      Atomics.wait(workerData, 1, 0);
    });
  });
`;

/** A listener that accepts nothing, its queue full: the kernel drops what else comes, as if the node were gone. */
export async function vanishedPeer(): Promise<VanishedPeer> {
  const asleep = new Int32Array(new SharedArrayBuffer(8));
  const worker = new Worker(source, { eval: true, workerData: asleep });
  endLater(() => void worker.terminate());
  const port = await new Promise<number>((resolve) => worker.once('message', resolve));
  await until(() => Atomics.load(asleep, 0) === 1, 'the listener to stop');
  const fillers: Socket[] = [];
  while (await hasRoom(port, fillers));
  return {
    port,
    close: async () => {
      for (const socket of fillers) socket.destroy();
      await worker.terminate();
    },
  };
}

function hasRoom(port: number, fillers: Socket[]): Promise<boolean> {
  const socket = connect({ port, host: '127.0.0.1' });
  socket.on('error', () => undefined);
  fillers.push(socket);
  endLater(() => socket.destroy());
  return new Promise((resolve) => {
    // Timers come before sockets in a turn of the event loop: on a busy machine both may wait already.
    setTimeout(
      () =>
        setImmediate(() =>
          setImmediate(() => {
            resolve(!socket.connecting);
          }),
        ),
      50,
    );
  });
}
