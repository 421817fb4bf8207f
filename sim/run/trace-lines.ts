import type { TraceEvent } from './record-trace.ts';

/** One line of JSON. */
export function formatTraceJson(event: TraceEvent): string {
  return JSON.stringify(event);
}

/** One line for people: seconds, ordinal, where, what, and its particulars, in columns. */
export function formatTraceText(event: TraceEvent): string {
  const { where, what, details } = describe(event);
  const seconds = (event.atUs / 1_000_000).toFixed(6).padStart(12);
  return `${seconds} ${`#${event.ordinal}`.padStart(8)}  ${where.padEnd(30)} ${what.padEnd(15)} ${details}`.trimEnd();
}

interface Description {
  readonly where: string;
  readonly what: string;
  readonly details: string;
}

function describe(event: TraceEvent): Description {
  switch (event.type) {
    case 'request': {
      const { from, to, exchange, request } = event;
      const { method, target, headers } = request;
      return {
        where: `${from} > ${to}`,
        what: 'request',
        details: `x${exchange} ${method} ${shorten(target)} ${fieldsOf(headers)}`,
      };
    }
    case 'head':
      return { where: '', what: 'head', details: `x${event.exchange} ${event.status} ${fieldsOf(event.headers)}` };
    case 'bytes':
      return { where: '', what: event.isWrong ? 'WRONG bytes' : 'bytes', details: `x${event.exchange} ${event.bytes}` };
    case 'exchange-end':
      return { where: '', what: 'end', details: `x${event.exchange} ${event.how}` };
    case 'mirror-pull':
    case 'mirror-node': {
      const { type, ...fields } = event.event;
      return { where: `${event.node}/mirror`, what: `. ${type}`, details: fieldsOf(fields) };
    }
    default: {
      const { type, atUs: _atUs, ordinal: _ordinal, ...fields } = event;
      return { where: '', what: type, details: fieldsOf(fields) };
    }
  }
}

function fieldsOf(fields: object): string {
  return Object.entries(fields)
    .filter(([, value]) => value !== undefined)
    .map(([name, value]) => `${name}=${shorten(typeof value === 'string' ? value : JSON.stringify(value))}`)
    .join(' ');
}

/** The first of a digest's characters tell it from the others of a run. */
function shorten(text: string): string {
  return text.replaceAll(/(sha(?:256|512):[0-9a-f]{12})[0-9a-f]+/g, '$1');
}
