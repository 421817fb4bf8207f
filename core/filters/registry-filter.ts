import { canaryRegistry } from '../canary/canary-image.ts';
import { RE2JS, RE2JSException, RE2JSSyntaxException } from 're2js';
import { PeiliError } from '../errors.ts';
import type { ContentInfo } from '../ports/index.ts';
import { nameOf, parseReference } from '../requests/reference.ts';
import type { Reference } from '../requests/reference.ts';
import type { DistributionRequest } from '../requests/request.ts';
import { createRegistryList } from './registry-list.ts';

export interface RegistryFilterOptions {
  /**
   * RE2 patterns; what one of them finds in `registry/repository[:tag]` is filtered.
   * @default []
   */
  readonly registryFilters?: readonly string[];
  /**
   * The only registries that are mirrored, `docker.io` or `https://docker.io`. Empty, `_default` or `*`: all.
   * @default []
   */
  readonly mirroredRegistries?: readonly string[];
  /**
   * Old spelling: false means one more pattern, `:latest$`, and warns.
   * @default true
   */
  readonly resolveLatestTag?: boolean;
  /**
   * Registries whose tags and manifests the upstream alone answers, so that it authorises every pull; blobs still come from peers. `_default` or `*`: all.
   * @default []
   */
  readonly blobsOnlyRegistries?: readonly string[];
}

/** What may be mirrored. It keeps load and staleness away; it is no access control: a blob has no owner. */
export interface RegistryFilter {
  /** For the operator, at start. */
  readonly warnings: readonly string[];
  decide(request: DistributionRequest): FilterDecision;
  /** Content is advertised when one of its names is allowed, and without a name while no filter is set. `isManifest`: a manifest or an index. */
  allowsAdvertising(content: ContentInfo, isManifest: boolean): boolean;
  /** Whether a tag, `registry/repository:tag`, is advertised. */
  allowsTag(reference: string): boolean;
}

export type FilterDecision = 'serve' | 'filtered';

type Name = Pick<Reference, 'registry' | 'repository' | 'tag'>;

/** @throws FILTER_INVALID, OPTION_INVALID */
export function createRegistryFilter(options: RegistryFilterOptions = {}): RegistryFilter {
  const { registryFilters = [], resolveLatestTag = true } = options;
  const patterns = (resolveLatestTag ? registryFilters : [...registryFilters, ':latest$']).map(compilePattern);
  const mirrored = createRegistryList(options.mirroredRegistries ?? []);
  const blobsOnly = createRegistryList(options.blobsOnlyRegistries ?? []);
  const mirrorsAll = mirrored.empty || mirrored.all;

  const allowsName = (name: Name, isBlob: boolean): boolean => {
    // Every mirror makes it for itself: it is neither given to mirrors nor advertised.
    if (name.registry === canaryRegistry) return false;
    if (!mirrorsAll && !mirrored.has(name.registry)) return false;
    if (!isBlob && blobsOnly.has(name.registry)) return false;
    if (patterns.length === 0) return true;
    const text = nameOf(name);
    return !patterns.some((pattern) => pattern.test(text));
  };
  /** Of content without a name nobody can say what it is: it passes only while there is nothing that could filter it. */
  const allowsNameless = (isBlob: boolean): boolean =>
    patterns.length === 0 && mirrorsAll && (isBlob || blobsOnly.empty);

  return {
    warnings: resolveLatestTag
      ? []
      : ['resolveLatestTag: false is an old spelling; use the registry filter :latest$ instead'],
    decide: (request) => {
      if (request.resource === 'ping') return 'serve';
      const { registry, repository } = request;
      const isBlob = request.resource === 'blob';
      const tag = isBlob ? undefined : request.tag;
      const allowed =
        registry === undefined ? allowsNameless(isBlob) : allowsName({ registry, repository, tag }, isBlob);
      return allowed ? 'serve' : 'filtered';
    },
    allowsAdvertising: (content, isManifest) => {
      const names = content.names.map(parseReference).filter((name) => name !== undefined);
      return names.length === 0 ? allowsNameless(!isManifest) : names.some((name) => allowsName(name, !isManifest));
    },
    allowsTag: (reference) => {
      const name = parseReference(reference);
      return name?.tag !== undefined && allowsName(name, false);
    },
  };
}

/** An RE2 pattern: no pattern can take more than linear time, and Go mirrors read it the same way. */
function compilePattern(pattern: string): RE2JS {
  if (pattern === '') {
    throw new PeiliError('FILTER_INVALID', 'an empty filter pattern would filter everything', { pattern });
  }
  try {
    return RE2JS.compile(pattern);
  } catch (error) {
    if (!(error instanceof RE2JSException)) throw error;
    throw invalidPattern(pattern, error);
  }
}

function invalidPattern(pattern: string, error: RE2JSException): PeiliError {
  const part = error instanceof RE2JSSyntaxException ? error.getPattern() : null;
  const reason = error instanceof RE2JSSyntaxException ? error.getDescription() : error.message;
  const position = part === null ? pattern.length : Math.max(0, pattern.indexOf(part));
  const message = `invalid filter pattern ${JSON.stringify(pattern)}: ${reason} at character ${position + 1}`;
  return new PeiliError('FILTER_INVALID', message, { pattern, reason, position }, error);
}
