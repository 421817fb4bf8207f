import { hostname } from 'node:os';
import * as v from 'valibot';
import { PeiliError } from '../../core/index.ts';
import { readFlags, textTo } from '../flag-table.ts';
import type { Environment, FlagTable } from '../flag-table.ts';
import { parseDurationUs } from '../go-values.ts';
import { registryFlags } from '../registry-flags.ts';
import { parseAbsolutePath, parseNamespace, parseSocket, parseZone } from '../registry-schema.ts';

/** The options of `peili sim record`: those of containerd as `peili registry` has them. */
export const recordFlags = {
  containerdSock: registryFlags.containerdSock,
  containerdNamespace: { ...registryFlags.containerdNamespace, help: 'the namespace whose images are recorded' },
  containerdContentPath: registryFlags.containerdContentPath,
  node: { flags: '--node <name>', env: 'PEILI_NODE', help: "the node's name in the trace (default: the hostname)" },
  zone: { flags: '--zone <name>', env: 'PEILI_ZONE', help: "the node's zone in the trace" },
  output: {
    flags: '--output <file>',
    env: 'PEILI_OUTPUT',
    help: 'the trace, a new file',
    missing: 'give the file to write, trace.jsonl',
  },
  for: { flags: '--for <duration>', env: 'PEILI_FOR', help: 'end after so long (default: Ctrl-C ends it)' },
} as const satisfies FlagTable;

export interface RecordOptions {
  readonly socket: string;
  readonly namespace: string;
  /** Undefined: containerd is asked. */
  readonly contentPath: string | undefined;
  readonly node: string;
  /** Empty: unknown. */
  readonly zone: string;
  readonly output: string;
  /** Undefined: until it is stopped. */
  readonly forUs: number | undefined;
}

const schema = v.object({
  containerdSock: textTo(parseSocket),
  containerdNamespace: textTo(parseNamespace),
  containerdContentPath: v.optional(textTo(parseAbsolutePath)),
  node: v.optional(v.string()),
  zone: v.optional(textTo(parseZone), ''),
  output: v.string(),
  for: v.optional(textTo(parseLength)),
});

/** Throws `OPTION_INVALID`. */
export function readRecordOptions(given: Readonly<Record<string, unknown>>, env: Environment): RecordOptions {
  const values = readFlags(recordFlags, schema, given, env);
  return {
    socket: values.containerdSock,
    namespace: values.containerdNamespace,
    contentPath: values.containerdContentPath,
    node: values.node ?? hostname(),
    zone: values.zone,
    output: values.output,
    forUs: values.for,
  };
}

function parseLength(text: string): number {
  const us = parseDurationUs(text);
  if (us > 0) return us;
  throw new PeiliError('OPTION_INVALID', 'give a duration above 0, such as 10m');
}
