import { createHash, timingSafeEqual } from 'node:crypto';

/** What a client has to know (RFC 7617). */
export interface BasicAuth {
  /** Without a colon. */
  readonly username: string;
  readonly password: string;
}

/** The Authorization field that says so. */
export function authorizationOf({ username, password }: BasicAuth): string {
  return `Basic ${Buffer.from(`${username}:${password}`).toString('base64')}`;
}

/**
 * Whether an Authorization field is the right one. The time it takes says nothing about the credentials, not even their length:
 * hashes of both sides are compared. Whatever is no such field is wrong, and that is all.
 */
export function createCredentialsCheck({
  username,
  password,
}: BasicAuth): (authorization: string | undefined) => boolean {
  const wanted = hash(Buffer.from(`${username}:${password}`));
  return (authorization = '') => {
    // The scheme's case does not matter (RFC 9110, section 11.1); a client may leave out the padding.
    const token = /^basic +(?<token>[A-Za-z0-9+/_-]*={0,2}) *$/i.exec(authorization)?.groups?.['token'];
    return timingSafeEqual(hash(Buffer.from(token ?? '', 'base64')), wanted) && token !== undefined;
  };
}

function hash(bytes: Uint8Array): Buffer {
  return createHash('sha256').update(bytes).digest();
}
