import {
  abortReason,
  onAbort,
  openScope,
  parseContentRange,
  PeiliError,
  settleOrAbort,
  throwIfAborted,
} from '../../core/index.ts';
import type { DistributionResponse, Member, PeerClient, PeerRequest, PeerResponse, Scope } from '../../core/index.ts';
import { closed, createLinkBody } from './link-body.ts';
import { bodyFaultOf } from './link-fault.ts';
import type { LinkFault } from './link-fault.ts';
import type { Links } from './memory-cluster.ts';
import { passLink } from './pass-link.ts';

/** Calls the other node's mirror as a connection would: its answer's body is lent on, chunk by chunk. */
export function createMemoryPeers(links: Links, self: Member): PeerClient {
  const exchange = async (member: Member, request: PeerRequest, scope: Scope): Promise<DistributionResponse> => {
    await passLink(links, self.id, member.id, scope.signal);
    const fault = links.fault(self.id, member.id);
    const mirror = links.seat(member.id)?.mirror;
    if (mirror === undefined)
      throw new PeiliError('DIAL_REFUSED', 'the node does not listen yet', { member: member.id });
    if (fault?.type === 'hang-up') throw closed('instead of an answer');
    if (fault?.type === 'silent-head') return new Promise(() => undefined);
    const { range, ...others } = request.headers;
    const keepsRange = range !== undefined && fault?.type !== 'whole-for-range';
    const headers = { ...others, ...(keepsRange ? { range } : {}), 'x-spegel-mirrored': 'true' };
    return mirror.answer({ method: request.method, target: request.target, headers }, scope.signal);
  };

  return {
    fetch: async (member, request, signal) => {
      throwIfAborted(signal);
      const end = links.begin();
      const scope = openScope(signal);
      const life = links.seat(member.id)?.life.signal;
      const letGo = onAbort(life ?? scope.signal, () => {
        scope.abort(closed('the node stopped'));
      });
      const onEnded = (): void => {
        letGo();
        scope.abort();
        scope.close();
        end();
      };
      try {
        const answering = exchange(member, request, scope);
        const answer = await settleOrAbort(answering, scope.signal).catch((error: unknown) => {
          // An answer that comes too late is nobody's: its body is let go.
          answering.then(
            ({ body }) => body?.return(),
            () => undefined,
          );
          throw scope.signal.aborted ? abortReason(scope.signal) : error;
        });
        return arrived(links, request, answer, links.fault(self.id, member.id), scope.signal, onEnded);
      } catch (error) {
        onEnded();
        throw error;
      }
    },
  };
}

function arrived(
  { clock }: Links,
  request: PeerRequest,
  answer: DistributionResponse,
  fault: LinkFault | undefined,
  signal: AbortSignal,
  onEnded: () => void,
): PeerResponse {
  const { status, body: inner } = answer;
  const headers = fault?.type === 'wrong-content-range' ? shifted(answer.headers) : answer.headers;
  if (inner === undefined || request.method === 'HEAD') {
    void inner?.return();
    onEnded();
    return { status, headers };
  }
  const range = parseContentRange(headers['content-range'] ?? '');
  const startOffset = status === 206 && range?.type === 'part' ? range.start : 0;
  const length = headers['content-length'];
  const promisedBytes = length === undefined ? undefined : Number(length);
  const body = createLinkBody({ clock, inner, startOffset, promisedBytes, fault: bodyFaultOf(fault), signal, onEnded });
  return { status, headers, body };
}

/** Another part of the same length. */
function shifted(headers: Readonly<Record<string, string>>): Readonly<Record<string, string>> {
  const range = headers['content-range'];
  if (range === undefined) return headers;
  return {
    ...headers,
    'content-range': range.replace(/(\d+)-(\d+)/, (_, from, to) => `${Number(from) + 1}-${Number(to) + 1}`),
  };
}
