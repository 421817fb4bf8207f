import type { DigestAlgorithm, Digester } from '../ports/index.ts';

export function algorithmOf(digest: string): DigestAlgorithm {
  return digest.startsWith('sha512:') ? 'sha512' : 'sha256';
}

/** The digest of a message as text, `sha256:<hex>`. */
export function digestOf(digester: Digester, algorithm: DigestAlgorithm, message: Uint8Array): string {
  return `${algorithm}:${toHex(digester.hash(algorithm, message))}`;
}

export function matchesDigest(digester: Digester, digest: string, message: Uint8Array): boolean {
  return digestOf(digester, algorithmOf(digest), message) === digest;
}

export function toHex(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');
}
