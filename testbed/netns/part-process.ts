import process from 'node:process';
import { fileURLToPath } from 'node:url';
import type { Namespace } from './namespace.ts';
import { handleOf } from './process-handle.ts';
import type { ProcessHandle } from './process-handle.ts';
import type { PartCalls, PartReply, PartRequest, PartStart } from './part-protocol.ts';

/** A part of the testbed that runs inside a namespace, called from here. */
export interface Part<Calls> {
  readonly process: ProcessHandle;
  call<Method extends keyof Calls & string>(
    method: Method,
    ...argument: ArgumentOf<Calls[Method]>
  ): Promise<AnswerOf<Calls[Method]>>;
}

type ArgumentOf<Row> = Row extends { argument: infer Argument }
  ? undefined extends Argument
    ? []
    : [argument: Argument]
  : never;
type AnswerOf<Row> = Row extends { answer: infer Answer } ? Answer : never;

/** Beside this file, as a source or as built. */
const program = fileURLToPath(new URL(import.meta.url.endsWith('.ts') ? 'part.ts' : 'part.js', import.meta.url));

/** Starts a part and waits until it listens. */
export async function startPart<Kind extends keyof PartCalls>(
  namespace: Namespace,
  kind: Kind,
  start: PartStart,
): Promise<Part<PartCalls[Kind]>> {
  const child = namespace.spawn([process.execPath, program, kind, JSON.stringify(start)], {
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
    serialization: 'advanced',
  });
  const handle = handleOf(child);
  const open = new Map<number, PromiseWithResolvers<unknown>>();
  const ready = Promise.withResolvers<unknown>();
  open.set(0, ready);
  child.on('message', (message) => {
    // The other end is `part.ts`, of the same checkout.
    const reply = message as unknown as PartReply;
    const waiting = open.get(reply.id);
    open.delete(reply.id);
    if ('failure' in reply) waiting?.reject(new Error(`${kind}: ${reply.failure}`));
    else waiting?.resolve(reply.answer);
  });
  child.once('exit', () => {
    for (const waiting of open.values()) waiting.reject(new Error(`the part "${kind}" has ended`));
    open.clear();
  });
  await ready.promise;
  const state = { nextId: 1 };
  return {
    process: handle,
    call: async (method, ...[argument]: readonly unknown[]) => {
      const id = state.nextId;
      state.nextId += 1;
      const waiting = Promise.withResolvers<unknown>();
      open.set(id, waiting);
      child.send({ id, method, argument } satisfies PartRequest);
      // Answer and method go together in `PartCalls`, which both ends are checked against.
      return (await waiting.promise) as never;
    },
  };
}
