import { PeiliError } from '../../core/index.ts';

/** What was to listen where. */
export interface ListenPlace {
  readonly listener: 'registry' | 'router' | 'pages';
  /** Undefined or empty: all addresses. */
  readonly host: string | undefined;
  readonly port: number;
}

/** Why nothing can be listened to there, as `ADDRESS_IN_USE` or `ADDRESS_INVALID`. `reason` is or names the system's code. */
export function listenRefusal({ host = '', listener, port }: ListenPlace, reason: string, cause: unknown): PeiliError {
  const where = host === '' ? `port ${String(port)}` : `${host}, port ${String(port)}`;
  const code = /\bE[A-Z]{3,}\b/.exec(reason)?.[0];
  const details = { listener, host, port, reason: code ?? reason };
  if (code === 'EADDRINUSE') {
    const message = `something else listens on ${where} already: choose another port or stop it`;
    return new PeiliError('ADDRESS_IN_USE', message, details, cause);
  }
  const mend =
    code === 'EACCES' ? 'ports below 1024 need a right that this process lacks' : 'use an address of this machine';
  return new PeiliError('ADDRESS_INVALID', `cannot listen on ${where}: ${mend}`, details, cause);
}
