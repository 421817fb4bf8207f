import type { RequestText } from '../../core/index.ts';
import type { Party } from '../network/party.ts';
import { allowedAnswers, isAllowed } from '../reference/mirror-model.ts';
import type { ModelAnswer, ModelContent, ModelRequest } from '../reference/mirror-model.ts';
import type { SimNode, World } from '../run/world.ts';
import { nodeNameOf } from '../scenario/node-names.ts';
import type { Scenario } from '../scenario/scenario.ts';
import { KnownSizes } from './known-sizes.ts';
import { isSizeForged, isTagForged } from './lies.ts';
import type { OracleFactory } from './oracle.ts';

/** A request that a mirror has not answered yet, and what it could have been answered with when it came. */
interface Pending {
  readonly request: ModelRequest;
  readonly node: SimNode;
  readonly isSelfCheck: boolean;
  readonly before: readonly ModelContent[];
}

/** Row 20: every answer of every mirror is one of those that the reference model allows. */
export const answersAreAllowed: OracleFactory = ({ scenario, seen, violate, world }) => {
  const pending = new Map<number, Pending>();
  const slowDisks = scenario.cluster.disk !== undefined;
  const sizes = new KnownSizes(scenario, world);
  return {
    on: {
      request: (event) => {
        const node = seen.exchange?.node;
        const request = event.to.role === 'mirror' ? modelRequest(event.request, event.from) : undefined;
        if (node === undefined || request === undefined || isTampered(scenario, node, event.from)) return;
        // What another node says of a tag is believed.
        if (request.tag !== undefined && isTagForged(scenario)) return;
        if (request.method === 'HEAD' && request.resource === 'manifest' && isSizeForged(scenario)) return;
        const isSelfCheck = event.request.headers['peili-self-check'] !== undefined;
        pending.set(event.exchange, { request, node, isSelfCheck, before: contentsOf(world, node, request) });
      },
      'exchange-end': ({ exchange, how }) => {
        sizes.note(seen.exchange, how);
        pending.delete(exchange);
      },
      head: ({ exchange, headers, status }) => {
        const asked = pending.get(exchange);
        if (asked === undefined) return;
        pending.delete(exchange);
        const { content, to } = seen.exchange ?? {};
        if (content !== undefined && to !== undefined && sizes.isBelieved(to, content)) return;
        const { before, isSelfCheck, node, request } = asked;
        const contents = together(before, contentsOf(world, node, request));
        const mayBeOld = request.tag !== undefined && scenario.mirror?.tagMaxAgeUs !== undefined;
        const mayMiss = isSelfCheck || slowDisks || mayBeOld || isTouched(scenario, node);
        const allowed = allowedAnswers(request, {
          filter: scenario.mirror ?? {},
          contents,
          mayRefuse: request.isMirrored,
          mayMiss,
        });
        const given = answerOf(status, headers);
        if (!isAllowed(given, allowed))
          violate(
            `${node.name} answers ${JSON.stringify(request)} with ${JSON.stringify(given)}; allowed: ${JSON.stringify(allowed)}`,
          );
      },
    },
  };
};

const targetPattern = /^\/v2\/(.+)\/(manifests|blobs)\/([^?]+)\?ns=([^&]+)$/;

/** Undefined where it is no request of content. */
export function modelRequest({ headers, method, target }: RequestText, from: Party): ModelRequest | undefined {
  const match = targetPattern.exec(target);
  if (match === null || (method !== 'GET' && method !== 'HEAD')) return undefined;
  const [, repository = '', kind, reference = '', registry = ''] = match;
  return {
    method,
    resource: kind === 'blobs' ? 'blob' : 'manifest',
    registry,
    repository,
    tag: reference.includes(':') ? undefined : reference,
    digest: reference.includes(':') ? reference : undefined,
    range: headers['range'],
    isMirrored: from.role === 'mirror',
  };
}

/** What is between the two changes heads. */
function isTampered(scenario: Scenario, node: SimNode, from: Party): boolean {
  if (from.host === node.host) return false;
  return scenario.faults.some(({ target, what }) => what.kind === 'http' && node.name === nodeNameOf(scenario, target));
}

function isTouched(scenario: Scenario, node: SimNode): boolean {
  return scenario.faults.some(({ target }) => node.name === nodeNameOf(scenario, target));
}

/** What the request may mean now: at most one content where it names a digest. */
function contentsOf({ catalogue, nodes }: World, node: SimNode, request: ModelRequest): readonly ModelContent[] {
  const { digest, registry, repository, tag } = request;
  const reference = tag === undefined ? undefined : `${registry}/${repository}:${tag}`;
  const meanings =
    reference === undefined ? [digest] : new Set(nodes.map(({ store }) => store.tagOf(reference)?.digest));
  const contents: ModelContent[] = [];
  for (const meaning of meanings) {
    const content = meaning === undefined ? undefined : catalogue.find(meaning);
    if (content === undefined) continue;
    const isNamed = reference === undefined || node.store.tagOf(reference)?.digest === content.digest;
    const isHere = isNamed && node.store.shows(content.digest) ? 'always' : 'never';
    const isElsewhere = nodes.some((other) => other !== node && other.store.hadOnce(content.digest));
    contents.push({ digest: content.digest, sizeBytes: content.sizeBytes, isHere, isElsewhere });
  }
  return contents;
}

/** What held all the while, and what was only so at one of two times. */
function together(before: readonly ModelContent[], now: readonly ModelContent[]): readonly ModelContent[] {
  const gone = before.filter(({ digest }) => now.every((content) => content.digest !== digest));
  return [...now, ...gone].map((content): ModelContent => {
    const first = before.find(({ digest }) => digest === content.digest);
    const last = now.find(({ digest }) => digest === content.digest);
    const isSame = first?.isHere === last?.isHere;
    const isElsewhere = first?.isElsewhere === true || last?.isElsewhere === true;
    return { ...content, isElsewhere, isHere: isSame ? content.isHere : 'perhaps' };
  });
}

function answerOf(status: number, headers: Readonly<Record<string, string>>): ModelAnswer {
  const length = headers['content-length'];
  return {
    status,
    contentRange: headers['content-range'] ?? '',
    ...(length === undefined ? {} : { lengthBytes: Number(length) }),
    ...(headers['docker-content-digest'] === undefined ? {} : { digest: headers['docker-content-digest'] }),
  };
}
