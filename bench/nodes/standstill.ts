import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';

const loop = 'setTimeout(function standingStill() { for (;;); }, 0)';
/** After so long the loop runs. */
const begunMs = 50;

/** The main thread of a node process with an inspector does nothing else from here on. */
export async function standStill(host: string, port: number): Promise<void> {
  const answer = await fetch(`http://${host}:${port}/json/list`);
  // By the inspector's own protocol: what it can be reached by.
  const [target] = (await answer.json()) as readonly { readonly webSocketDebuggerUrl: string }[];
  const socket = new WebSocket(target?.webSocketDebuggerUrl ?? '');
  await once(socket, 'open');
  socket.send(JSON.stringify({ id: 1, method: 'Runtime.evaluate', params: { expression: loop } }));
  await once(socket, 'message');
  // Nobody debugs: a watchdog that spares a debugger's pause is not to be spared.
  socket.close();
  await sleep(begunMs);
}
