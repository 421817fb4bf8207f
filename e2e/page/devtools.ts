type Params = Readonly<Record<string, unknown>>;

interface Reply {
  readonly id?: number;
  readonly method?: string;
  readonly params?: Params;
  readonly result?: Params;
  readonly error?: { readonly message: string };
  readonly sessionId?: string;
}

/** One connection of the devtools protocol: to a browser, or to Node's inspector. */
export interface Devtools {
  /** Rejects with what the other side complains about. `sessionId`: the page that is meant, in a browser. */
  send(method: string, params?: Params, sessionId?: string): Promise<Params>;
  on(method: string, listener: (params: Params) => void, sessionId?: string): void;
  close(): void;
}

export async function openDevtools(url: string): Promise<Devtools> {
  const socket = new WebSocket(url);
  const waiting = new Map<number, PromiseWithResolvers<Params>>();
  const listeners = new Map<string, ((params: Params) => void)[]>();
  const last = { id: 0 };
  socket.addEventListener('message', ({ data }) => {
    const reply = JSON.parse(String(data)) as Reply;
    if (reply.id === undefined) {
      for (const listener of listeners.get(keyOf(reply.method, reply.sessionId)) ?? []) listener(reply.params ?? {});
    } else if (reply.error === undefined) waiting.get(reply.id)?.resolve(reply.result ?? {});
    else waiting.get(reply.id)?.reject(new Error(reply.error.message));
  });
  socket.addEventListener('close', () => {
    for (const { reject } of waiting.values()) reject(new Error('the devtools connection has ended'));
  });
  await new Promise((resolve, reject) => {
    socket.addEventListener('open', resolve);
    socket.addEventListener('error', () => {
      reject(new Error(`nothing answers at ${url}`));
    });
  });
  return {
    send: (method, params = {}, sessionId) => {
      last.id += 1;
      const answer = Promise.withResolvers<Params>();
      waiting.set(last.id, answer);
      // Whoever does not wait for the answer is not told of the connection's end.
      answer.promise.catch(() => undefined);
      socket.send(JSON.stringify({ id: last.id, method, params, ...(sessionId === undefined ? {} : { sessionId }) }));
      return answer.promise;
    },
    on: (method, listener, sessionId) => {
      const key = keyOf(method, sessionId);
      listeners.set(key, [...(listeners.get(key) ?? []), listener]);
    },
    close: () => {
      socket.close();
    },
  };
}

function keyOf(method = '', sessionId = ''): string {
  return `${sessionId} ${method}`;
}
