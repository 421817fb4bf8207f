import type { IncomingHttpHeaders } from 'node:http';

/**
 * Whether a form came from this server's own page. Browsers say where a POST comes from, in `Origin` and in `Sec-Fetch-Site` (Fetch, "Origin header";
 * Fetch Metadata): both must agree where they are there. Without either it is no browser, which nobody can send against its user's will.
 */
export function isSameOrigin(headers: IncomingHttpHeaders): boolean {
  const { origin, host } = headers;
  const site = headers['sec-fetch-site'];
  if (site !== undefined && site !== 'same-origin') return false;
  if (origin === undefined) return true;
  // A proxy before it may speak TLS: the host is what counts.
  return host !== undefined && (origin === `http://${host}` || origin === `https://${host}`);
}
