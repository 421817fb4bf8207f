import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect } from 'node:net';
import type { Socket } from 'node:net';
import { test } from 'node:test';
import type { TestContext } from 'node:test';
import { servePages } from './page-server.ts';

const timeout = 10_000;
const question = 'GET /metrics HTTP/1.1\r\nhost: node\r\n\r\n';

async function open(context: TestContext, text: string) {
  const pages = { '/metrics': { contentType: 'text/plain', text: () => text } };
  const limits = { pageConnectionsMax: 3, pageIdleTimeoutUs: 100_000 };
  const server = await servePages({ host: '127.0.0.1', port: 0 }, pages, {}, limits);
  const connections: Socket[] = [];
  context.after(async () => {
    for (const connection of connections) connection.destroy();
    await server.close();
  });
  return async (): Promise<Socket> => {
    const connection = connect(server.port, '127.0.0.1');
    connections.push(connection);
    connection.on('error', () => undefined);
    await once(connection, 'connect');
    return connection;
  };
}

test(
  'pages: connections beyond the bound are closed, and those before it are answered',
  { timeout },
  async (context) => {
    const dial = await open(context, 'text');
    const held = [await dial(), await dial(), await dial()];
    const refused = await dial();
    await once(refused.resume(), 'close');
    const [first] = held;
    first?.write(question);
    const [answer] = (await once(first!, 'data')) as [Buffer];
    assert.match(String(answer), /^HTTP\/1\.1 200 /);
  },
);

test('pages: whoever asks and does not read is let go of', { timeout }, async (context) => {
  const dial = await open(context, 'x'.repeat(64 * 1024 * 1024));
  const held = [await dial(), await dial(), await dial()];
  for (const connection of held) connection.pause().write(question);
  // Their places are free again.
  for (;;) {
    const next = await dial();
    next.write('HEAD /metrics HTTP/1.1\r\nhost: node\r\n\r\n');
    // Sent away may be a reset: the request was not read.
    const goes = once(next, 'close').then(
      () => false,
      () => false,
    );
    const said = await Promise.race([once(next, 'data').then(() => true), goes]).catch(() => false);
    if (said) break;
    await new Promise((resolve) => setImmediate(resolve));
  }
});
