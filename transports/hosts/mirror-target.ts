import { PeiliError } from '../../core/index.ts';

/** Where a mirror is, as it stands in hosts.toml: `http://10.0.0.1:5000`. An IPv6 address may lack its brackets, as charts put addresses together. */
export function parseMirrorTarget(text: string): string {
  const url = urlOf(bracketed(text));
  const isPlain =
    url !== undefined &&
    /^https?:$/.test(url.protocol) &&
    /^\/?$/.test(url.pathname) &&
    [url.username, url.password, url.search, url.hash].every((part) => part === '');
  if (isPlain) return bracketed(text).replace(/\/$/, '');
  throw new PeiliError('OPTION_INVALID', 'give http://host:port or https://host:port, without a path', {
    target: text,
  });
}

function urlOf(text: string): URL | undefined {
  return /['\s\p{Cc}]/u.test(text) ? undefined : (URL.parse(text) ?? undefined);
}

function bracketed(text: string): string {
  const address = /^(?<scheme>https?:\/\/)(?<ip>[0-9a-fA-F]*:[0-9a-fA-F:.]*):(?<port>\d+)(?<rest>\/?)$/.exec(
    text,
  )?.groups;
  if (address === undefined) return text;
  const { scheme = '', ip = '', port = '', rest = '' } = address;
  return `${scheme}[${ip}]:${port}${rest}`;
}
