import { once } from 'node:events';
import type { Server, Socket } from 'node:net';

/** A server's way to be there, to be gone, and to be there again on the same port. */
export interface Listener {
  readonly port: number;
  /** From here on connections are refused; those that are open are reset. */
  refuse(): Promise<void>;
  accept(): Promise<void>;
  /** Open connections. */
  connections(): number;
}

export async function listenOn(server: Server, port = 0, host = '127.0.0.1'): Promise<Listener> {
  const sockets = new Set<Socket>();
  server.on('connection', (socket: Socket) => {
    sockets.add(socket);
    socket.once('close', () => sockets.delete(socket));
  });
  const listen = async (wanted: number): Promise<number> => {
    server.listen(wanted, host);
    await once(server, 'listening');
    const address = server.address();
    if (address === null || typeof address === 'string') throw new TypeError('a TCP server has an address with a port');
    return address.port;
  };
  const bound = await listen(port);
  return {
    port: bound,
    refuse: async () => {
      if (!server.listening) return;
      const closed = once(server, 'close');
      server.close();
      for (const socket of sockets) reset(socket);
      await closed;
    },
    accept: async () => {
      if (!server.listening) await listen(bound);
    },
    connections: () => sockets.size,
  };
}

/** Ends a connection with RST. One whose FIN is under way can only be closed: libuv refuses to reset it, and Node then leaks the handle. */
export function reset(socket: Socket): void {
  if (socket.writableEnded) socket.destroy();
  else socket.resetAndDestroy();
}
