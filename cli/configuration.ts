import { authorizationOf, configureHosts } from '../transports/index.ts';
import { readBasicAuth } from './credentials.ts';
import { named } from './flag-table.ts';
import { configurationFlags } from './hosts-flags.ts';
import type { ConfigurationOptions } from './hosts-flags.ts';
import { createLogger } from './logs.ts';

export interface ConfigurationIo {
  /** Where log lines go. */
  readonly log: { write(line: string): void };
}

/** Tells containerd about mirrors; 0 when it is told. Rejects with a `PeiliError` that names what is in the way. */
export async function configuration(options: ConfigurationOptions, io: ConfigurationIo): Promise<number> {
  const logger = createLogger(options.logLevel, io.log);
  const credentials = await named(
    configurationFlags.basicAuthPath,
    options.basicAuthPath,
    readBasicAuth(options.basicAuthPath),
  );
  const report = await configureHosts(
    {
      onChange: (what, path) => {
        logger.debug({ path }, what);
      },
    },
    { ...options, authorization: credentials === undefined ? undefined : authorizationOf(credentials) },
  );
  for (const { path, reason } of report.written) {
    logger.info({ path }, reason === 'missing' ? 'mirrors configured' : 'mirrors configured anew');
  }
  for (const directory of report.restored) logger.info({ directory }, 'no longer mirrored: as it was before');
  for (const directory of report.bypassing) {
    logger.warn(
      { directory },
      'containerd reads this directory instead of _default, so it asks no mirror: name the registry in --mirrored-registries, or use --prepend-existing',
    );
  }
  if (report.written.length + report.restored.length === 0) logger.info('mirrors are configured already');
  return 0;
}
