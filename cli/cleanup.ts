import { cleanHosts } from '../transports/index.ts';
import { aborted } from './aborted.ts';
import { named } from './flag-table.ts';
import { cleanupFlags } from './hosts-flags.ts';
import type { CleanupOptions } from './hosts-flags.ts';
import { formatAddress } from './addresses.ts';
import { createLogger } from './logs.ts';
import { servePages } from './page-server.ts';

export interface CleanupIo {
  /** Ends the probe. */
  readonly signal: AbortSignal;
  /** Where log lines go. */
  readonly log: { write(line: string): void };
}

/**
 * Undoes `configuration`; 0 when nothing of it is left. With an address it stays, and looks again whenever it is probed: a mirror that is still being
 * stopped may have mended its files. Rejects with a `PeiliError` that names what is in the way.
 */
export async function cleanup(options: CleanupOptions, { signal, log }: CleanupIo): Promise<number> {
  const logger = createLogger(options.logLevel, log);
  const clean = async (): Promise<void> => {
    const { restored } = await cleanHosts(
      {
        onChange: (what, path) => {
          logger.debug({ path }, what);
        },
      },
      options,
    );
    for (const directory of restored) logger.info({ directory }, 'as it was before');
  };
  await clean();
  logger.info({ directory: options.configPath }, 'nothing of peili is left');
  const { address } = options;
  if (address === undefined) return 0;
  const again = oneAtATime(clean);
  const readyz = {
    contentType: 'text/plain; charset=utf-8',
    text: async () => {
      try {
        await again();
      } catch (error) {
        logger.error({ err: error }, 'cleaning up again failed');
        throw error;
      }
      return 'clean\n';
    },
  };
  const server = await named(cleanupFlags.addr, formatAddress(address), servePages(address, { '/readyz': readyz }));
  logger.info({ port: server.port }, 'waiting to be stopped');
  await aborted(signal);
  await server.close();
  return 0;
}

/** Probes may come at once; what they start is done once for all that wait. */
function oneAtATime(work: () => Promise<void>): () => Promise<void> {
  let running: Promise<void> | undefined;
  return () =>
    (running ??= work().finally(() => {
      running = undefined;
    }));
}
