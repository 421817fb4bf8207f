import type { Libp2p } from '@libp2p/interface';
import type { Limits, RecordsHandler } from '../../core/index.ts';
import type { HalfMessages } from './half-messages.ts';
import { kadProtocol } from './kad-codec.ts';
import { serveKad } from './kad-server.ts';
import type { Meetings } from './meetings.ts';
import type { MemberDirectory } from './member-directory.ts';
import type { PeerIds } from './peer-ids.ts';
import { recordsProtocol } from './records-codec.ts';
import { serveRecords } from './records-server.ts';

export interface ServingDeps {
  readonly host: Libp2p;
  readonly ids: PeerIds;
  readonly directory: MemberDirectory;
  readonly meetings: Meetings;
  readonly handler: () => RecordsHandler | undefined;
  readonly halfMessages: HalfMessages;
}

/** Answers both protocols over the one soft state that `handler` keeps. Ends with the host. */
export async function serveProtocols(deps: ServingDeps, limits: Limits): Promise<void> {
  const { host, directory, meetings, halfMessages } = deps;
  const streamOptions = { maxInboundStreams: limits.streamsPerConnectionMax };
  const memberOf = (id: string): ReturnType<MemberDirectory['get']> => {
    meetings.touch(id);
    return directory.get(id);
  };
  await host.handle(
    recordsProtocol,
    (stream, connection) => {
      serveRecords({ ...deps, memberOf, onHello: meetings.onHello }, stream, connection, {
        messageMaxBytes: limits.recordsMessageMaxBytes,
        halfMessages,
      });
    },
    streamOptions,
  );
  const counter = { sequence: 0 };
  const nextSequence = (): number => (counter.sequence += 1);
  await host.handle(
    kadProtocol,
    (stream, connection) => {
      const kadDeps = { ...deps, memberOf, nextSequence, onKadPeer: meetings.onKadPeer };
      serveKad(kadDeps, stream, connection, {
        messageMaxBytes: limits.kadMessageMaxBytes,
        halfMessages,
        recordTtlUs: limits.kadRecordTtlUs,
      });
    },
    streamOptions,
  );
}
