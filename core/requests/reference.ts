import { PeiliError } from '../errors.ts';
import { fitsName, isDigest, isRegistry, isRepository, isTag } from './grammar.ts';
import type { BlobRequest, DistributionRequest, ManifestRequest } from './request.ts';

/** A full name of content, `registry/repository[:tag][@digest]`, as containerd and OCI image layouts store it. */
export interface Reference {
  readonly registry: string;
  readonly repository: string;
  readonly tag: string | undefined;
  readonly digest: string | undefined;
}

/** `registry/repository[:tag]`: what filters match and what the keys of tags are. A digest is never part of it. */
export function nameOf(reference: Pick<Reference, 'registry' | 'repository' | 'tag'>): string {
  const { registry, repository, tag } = reference;
  return tag === undefined ? `${registry}/${repository}` : `${registry}/${repository}:${tag}`;
}

/** The request's own `registry/repository[:tag]`; undefined when it does not say its registry. */
export function referenceOf(request: ManifestRequest | BlobRequest): string | undefined {
  const { registry, repository } = request;
  if (registry === undefined) return undefined;
  return nameOf({ registry, repository, tag: request.resource === 'manifest' ? request.tag : undefined });
}

/** What the request is looked up by: its digest, or the reference of its tag. Parsed requests for a tag have a registry: `NAMESPACE_MISSING` otherwise. */
export function keyOf(request: ManifestRequest | BlobRequest): string {
  if (request.digest !== undefined) return request.digest;
  const reference = referenceOf(request);
  if (reference === undefined) throw new PeiliError('NAMESPACE_MISSING', 'a tag has no key without its registry');
  return reference;
}

/**
 * Reads a name found in a store. The registry is whatever stands before the first slash: short forms are not expanded, since stores keep full names.
 * Undefined for what is no such name: it can never be asked for either.
 */
export function parseReference(text: string): Reference | undefined {
  const at = text.indexOf('@');
  const digest = at < 0 ? undefined : text.slice(at + 1);
  const name = at < 0 ? text : text.slice(0, at);
  const slash = name.indexOf('/');
  const colon = name.indexOf(':', slash);
  if (slash < 0) return undefined;
  const registry = name.slice(0, slash);
  const repository = colon < 0 ? name.slice(slash + 1) : name.slice(slash + 1, colon);
  const tag = colon < 0 ? undefined : name.slice(colon + 1);
  if (!isRegistry(registry) || !isRepository(repository) || !fitsName(registry, repository)) return undefined;
  if ((tag !== undefined && !isTag(tag)) || (digest !== undefined && !isDigest(digest))) return undefined;
  return { registry, repository, tag, digest };
}

/** The path and query that mean this request, for asking another member: `parseRequest` reads it back. */
export function targetOf(request: DistributionRequest): string {
  if (request.resource === 'ping') return '/v2/';
  const { registry, repository } = request;
  const path =
    request.resource === 'blob'
      ? `/v2/${repository}/blobs/${request.digest}`
      : `/v2/${repository}/manifests/${request.digest ?? request.tag}`;
  if (registry === undefined) return path;
  // Brackets must not stand in a query (RFC 3986, 3.4); all else of a registry may.
  return `${path}?ns=${registry.startsWith('[') ? encodeURIComponent(registry) : registry}`;
}
