import type { Fault, FaultKind } from '../faults/fault.ts';
import type { HttpFault } from '../network/http-fault.ts';
import type { RecordsFault } from '../node/records-fault.ts';
import type { FaultInput } from './fault-text.ts';
import { writeDuration, writeRate, writeSize } from './write-quantities.ts';

type NameOf = (node: number | 'upstream') => string;
type Said = Readonly<Record<string, string | number | readonly string[] | undefined>>;

/** A fault as a scenario file has it. */
export function writeFault({ atUs, target, untilUs, what }: Fault, nameOf: NameOf): FaultInput {
  const said: Said = {
    ...writeKind(what, nameOf),
    on: nameOf(target),
    ...(atUs === 0 ? {} : { at: writeDuration(atUs) }),
    ...(untilUs === undefined ? {} : { until: writeDuration(untilUs) }),
  };
  return Object.fromEntries(Object.entries(said).filter(([, value]) => value !== undefined)) as unknown as FaultInput;
}

function writeKind(what: FaultKind, nameOf: NameOf): Said & { readonly kind: string } {
  switch (what.kind) {
    case 'cut':
      return { kind: 'partition', with: what.with.map(nameOf), way: what.way };
    case 'forget':
      return { kind: 'forget', with: what.members.map(nameOf) };
    case 'island':
      return { kind: 'island', with: what.with.map(nameOf) };
    case 'http':
      return {
        ...writeArguments(what.fault),
        nth: what.every,
        from: what.from === undefined ? undefined : nameOf(what.from),
      };
    case 'records':
      return { ...writeRecords(what.fault), nth: what.every };
    case 'names':
      return writeNames(what.fault);
    default:
      return writeArguments(what);
  }
}

function writeRecords(fault: RecordsFault): Said & { readonly kind: string } {
  return { ...writeArguments(fault), kind: `records-${fault.kind}` };
}

function writeNames(fault: (FaultKind & { readonly kind: 'names' })['fault']): Said & { readonly kind: string } {
  switch (fault.kind) {
    case 'fail':
      return { kind: 'dns-fails' };
    case 'lag':
      return { kind: 'dns-lags', lag: writeDuration(fault.lagUs) };
    case 'truncate':
      return { kind: 'dns-truncates', entries: fault.entriesMax };
  }
}

type Plain = HttpFault | RecordsFault | Exclude<FaultKind, { readonly kind: 'cut' | 'forget' | 'island' | 'names' }>;

/** What arguments are called in a file, and how they are written there. */
const argumentsOf: Readonly<Record<string, (value: number) => Said>> = {
  addedUs: (us) => ({ added: writeDuration(us) }),
  atByte: (at) => ({ byte: writeSize(at) }),
  bytes: (bytes) => ({ bytes: writeSize(bytes) }),
  bytesPerSecond: (bytes) => ({ rate: writeRate(bytes) }),
  delayUs: (us) => ({ delay: writeDuration(us) }),
  offsetUs: (us) => ({ offset: writeDuration(us) }),
  retryAfterS: (seconds) => ({ retryAfter: `${seconds}s` }),
  toBytes: (bytes) => ({ bytes: writeSize(bytes) }),
  usPerSecond: (us) => ({ perSecond: writeDuration(us) }),
};

function writeArguments({ kind, ...given }: Plain): Said & { readonly kind: string } {
  const said = Object.entries(given).map(([name, value]: [string, unknown]) =>
    typeof value === 'number' ? (argumentsOf[name]?.(value) ?? { [name]: value }) : { [name]: value },
  );
  return Object.assign({ kind }, ...said) as Said & { readonly kind: string };
}
