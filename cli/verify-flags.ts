import * as v from 'valibot';
import { PeiliError } from '../core/index.ts';
import type { Reference } from '../core/index.ts';
import { parseListenAddress } from './addresses.ts';
import { basicAuthPath } from './credentials.ts';
import { readFlags, textTo } from './flag-table.ts';
import type { Environment, FlagTable } from './flag-table.ts';
import { parseBoolean, parseInteger } from './go-values.ts';
import { parseAbsolutePath, parseNamespace, parseSocket } from './registry-schema.ts';
import { parseImageName } from './verify/pull-image.ts';

/** The options of `peili verify`. In the pod of a mirror, its variables say most of them. */
export const verifyFlags = {
  containerdSock: {
    flags: '--containerd-sock <path>',
    env: 'CONTAINERD_SOCK',
    help: "containerd's socket",
    fallback: '/run/containerd/containerd.sock',
  },
  containerdNamespace: {
    flags: '--containerd-namespace <name>',
    env: 'CONTAINERD_NAMESPACE',
    help: "containerd's namespace that has the images of Kubernetes",
    fallback: 'k8s.io',
  },
  containerdConfigPath: {
    flags: '--containerd-config-path <file>',
    env: 'PEILI_CONTAINERD_CONFIG_PATH',
    help: "containerd's config.toml; without it the places of distributions are looked at",
  },
  containerdContentPath: {
    flags: '--containerd-content-path <directory>',
    env: 'CONTAINERD_CONTENT_PATH',
    help: 'where containerd has its blobs; without it containerd is asked',
  },
  containerdRegistryConfigPath: {
    flags: '--containerd-registry-config-path <directory>',
    env: 'CONTAINERD_REGISTRY_CONFIG_PATH',
    help: 'where hosts.toml files are',
    fallback: '/etc/containerd/certs.d',
  },
  registryAddr: {
    flags: '--registry-addr <address>',
    env: 'REGISTRY_ADDR',
    help: 'where the mirror of this node listens, host:port, :port or a URL',
    fallback: ':5000',
  },
  metricsAddr: {
    flags: '--metrics-addr <address>',
    env: 'METRICS_ADDR',
    help: 'where it serves /metrics',
    fallback: ':9090',
  },
  basicAuthPath: {
    flags: '--basic-auth-path <directory>',
    env: 'PEILI_BASIC_AUTH_PATH',
    help: 'a directory with the files username and password that the mirror asks for',
    fallback: basicAuthPath,
  },
  membersMin: {
    flags: '--members-min <count>',
    env: 'PEILI_MEMBERS_MIN',
    help: 'how many other members there ought to be at least; 0 for a node that is alone',
    fallback: '1',
  },
  canary: {
    flags: '--canary [boolean]',
    env: 'PEILI_CANARY',
    help: 'whether containerd is made to pull a tiny image that only mirrors have, which is removed again',
    fallback: 'true',
  },
  image: {
    flags: '--image <reference>',
    env: 'PEILI_IMAGE',
    help: 'an image to pull through the mirror and discard: source, bytes and time of each object',
  },
} as const satisfies FlagTable;

export interface VerifyOptions {
  readonly socket: string;
  readonly namespace: string;
  /** Undefined: looked for. */
  readonly configPath: string | undefined;
  /** Undefined: containerd is asked. */
  readonly contentPath: string | undefined;
  readonly registryConfigPath: string;
  /** `http://127.0.0.1:5000`. */
  readonly registryUrl: string;
  readonly metricsUrl: string;
  readonly basicAuthPath: string;
  readonly membersMin: number;
  readonly canary: boolean;
  readonly image: Reference | undefined;
  readonly json: boolean;
}

const schema = v.object({
  containerdSock: textTo(parseSocket),
  containerdNamespace: textTo(parseNamespace),
  containerdConfigPath: v.optional(textTo(parseAbsolutePath)),
  containerdContentPath: v.optional(textTo(parseAbsolutePath)),
  containerdRegistryConfigPath: textTo(parseAbsolutePath),
  registryAddr: textTo(parseUrl),
  metricsAddr: textTo(parseUrl),
  basicAuthPath: v.string(),
  membersMin: textTo(parseInteger(0, 5000)),
  canary: textTo(parseBoolean),
  image: v.optional(textTo(parseImageName)),
});

/** Throws `OPTION_INVALID`. */
export function readVerifyOptions(given: Readonly<Record<string, unknown>>, env: Environment): VerifyOptions {
  const values = readFlags(verifyFlags, schema, given, env);
  return Object.freeze({
    socket: values.containerdSock,
    namespace: values.containerdNamespace,
    configPath: values.containerdConfigPath,
    contentPath: values.containerdContentPath,
    registryConfigPath: values.containerdRegistryConfigPath,
    registryUrl: values.registryAddr,
    metricsUrl: values.metricsAddr,
    basicAuthPath: values.basicAuthPath,
    membersMin: values.membersMin,
    canary: values.canary,
    image: values.image,
    json: given['json'] === true,
  });
}

/** The address that a mirror listens on, as one asks it: every address means this machine. */
function parseUrl(text: string): string {
  if (/^https?:\/\//.test(text)) {
    const url = URL.parse(text);
    if (url !== null && url.pathname === '/' && url.search === '' && url.username === '') return url.origin;
    throw new PeiliError('OPTION_INVALID', 'give host:port, :port, or a URL without a path, http://10.0.0.7:5000');
  }
  const { host = '', port } = parseListenAddress(text);
  const name = host === '' || host === '0.0.0.0' ? '127.0.0.1' : host === '::' ? '::1' : host;
  return `http://${name.includes(':') ? `[${name}]` : name}:${port}`;
}
