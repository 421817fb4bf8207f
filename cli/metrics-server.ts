import type { ListenAddress } from './addresses.ts';
import type { Metrics } from './metrics.ts';
import { servePages } from './page-server.ts';
import type { PageServer } from './page-server.ts';

/** Serves `/metrics`. Rejects with `ADDRESS_IN_USE` or `ADDRESS_INVALID`. */
export function serveMetrics(address: ListenAddress, metrics: Metrics): Promise<PageServer> {
  return servePages(address, { '/metrics': { contentType: metrics.contentType, text: () => metrics.text() } });
}
