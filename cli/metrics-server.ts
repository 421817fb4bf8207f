import type { ListenAddress } from './addresses.ts';
import type { Metrics } from './metrics.ts';
import { servePages } from './page-server.ts';
import type { PageServer, Route } from './page-server.ts';

/** Serves `/metrics`, and what `routes` answer. Rejects with `ADDRESS_IN_USE` or `ADDRESS_INVALID`. */
export function serveMetrics(
  address: ListenAddress,
  metrics: Metrics,
  routes: Readonly<Record<string, Route>> = {},
): Promise<PageServer> {
  const pages = { '/metrics': { contentType: metrics.contentType, text: () => metrics.text() } };
  return servePages(address, pages, routes);
}
