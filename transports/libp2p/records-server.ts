import type { Connection, Stream } from '@libp2p/interface';
import { errorCodeOf } from '../../core/index.ts';
import type { LookupAnswer, Member, RecordsHandler } from '../../core/index.ts';
import { createFramedStream } from './framed-stream.ts';
import type { HalfMessages } from './half-messages.ts';
import type { MemberDirectory } from './member-directory.ts';
import type { PeerIds } from './peer-ids.ts';
import { decodeRecordsMessage, encodeRecordsMessage } from './records-codec.ts';
import type { AnswerFacts, Hello, RecordsMessage } from './records-codec.ts';
import { invalidMessage } from './wire.ts';

export interface RecordsServerDeps {
  readonly ids: PeerIds;
  readonly directory: MemberDirectory;
  /** A member said hello over its own connection. */
  readonly onHello: (connection: Connection, hello: Hello) => void;
  /** The member as it is known now; undefined when there is no room for it. */
  readonly memberOf: (id: string) => Member | undefined;
  readonly handler: () => RecordsHandler | undefined;
}

export interface RecordsServerOptions {
  readonly messageMaxBytes: number;
  readonly halfMessages: HalfMessages;
}

/** Answers one member's stream until it ends. Who speaks is who the connection was made with, whatever a message says. */
export function serveRecords(
  deps: RecordsServerDeps,
  stream: Stream,
  connection: Connection,
  options: RecordsServerOptions,
): void {
  const senderId = connection.remotePeer.toString();
  let greeted = false;
  const answer = (message: RecordsMessage): void => {
    if (stream.writeStatus === 'writable') framed.send(encodeRecordsMessage(message, deps.ids));
  };
  const onMessage = (bytes: Uint8Array): void => {
    const message = decodeRecordsMessage(bytes, deps.ids);
    if (message === undefined) return;
    if (message.type === 'hello') {
      greeted = true;
      deps.onHello(connection, message.hello);
      answer({ type: 'hello', hello: deps.directory.hello() });
      return;
    }
    if (!greeted) throw invalidMessage('the first message is not a hello');
    const reply = replyTo(deps, senderId, message);
    if (reply !== undefined) answer(reply);
  };
  const framed = createFramedStream(stream, {
    ...options,
    onMessage,
    onEnd: () => undefined,
    pauseWhenFull: true,
  });
}

function replyTo(deps: RecordsServerDeps, senderId: string, message: RecordsMessage): RecordsMessage | undefined {
  switch (message.type) {
    case 'batch': {
      const sender = deps.memberOf(senderId);
      const handler = deps.handler();
      if (sender === undefined || handler === undefined) return { type: 'refused', id: message.id, code: 'OVERLOADED' };
      try {
        handler.onBatch(sender, message.batch);
        return { type: 'accepted', id: message.id };
      } catch (thrown) {
        return { type: 'refused', id: message.id, code: errorCodeOf(thrown) ?? 'RECORDS_INVALID' };
      }
    }
    case 'lookup': {
      const found = deps.handler()?.onLookup(deps.memberOf(senderId), message.key);
      return {
        type: 'answer',
        id: message.id,
        answer: found === undefined ? knowsNothing : factsOfAnswer(deps, found),
      };
    }
    case 'members-wanted':
      return { type: 'members', id: message.id, members: deps.directory.knownMembers() };
    default:
      // Answers belong on the streams that we opened; here they mean nothing.
      return undefined;
  }
}

/** Before the records are served: a "nobody" that must not count. */
const knowsNothing: AnswerFacts = { holders: [], warming: true, closer: [] };

function factsOfAnswer(deps: RecordsServerDeps, answer: LookupAnswer): AnswerFacts {
  return {
    holders: answer.holders.flatMap((holder) => {
      const member = deps.directory.factsOf(holder.member);
      return member === undefined ? [] : [{ ...holder, member }];
    }),
    warming: answer.warming,
    closer: answer.closer.flatMap((member) => deps.directory.factsOf(member) ?? []),
  };
}
