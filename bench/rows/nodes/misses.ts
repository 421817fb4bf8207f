import { randomBytes } from 'node:crypto';
import { nodeRow } from '../../nodes/node-row.ts';
import { percentile } from '../../statistics.ts';

const requestsAtOnce = 500;
const port = 5000;

/** Nobody has it: what a pull pays for having asked. */
export const missesOnNodes = nodeRow({
  row: 'S',
  rounds: 7,
  measure: async (stage, bench) => {
    const requests = Array.from({ length: requestsAtOnce }, () => {
      const digest = `sha256:${randomBytes(32).toString('hex')}`;
      return { path: `/v2/bench/none/blobs/${digest}?ns=${stage.upstream.registry}` };
    });
    const exchanges = await bench.client.serial({ host: stage.asker.address, port }, requests);
    const wrong = exchanges.find(({ status }) => status !== 404);
    if (wrong !== undefined) throw new Error(`a blob that nobody has: ${JSON.stringify(wrong)}`);
    const took = exchanges.map(({ tookMs }) => tookMs);
    return { p50: percentile(took, 50), p99: percentile(took, 99) };
  },
  lines: [
    {
      figure: 'p50',
      what: 'miss, GET of a blob among four containerd nodes, p50',
      unit: 'ms',
      compared: true,
      mark: { of: 'ours', atMost: 1 },
    },
    { figure: 'p99', what: 'the same, p99', unit: 'ms', compared: true, mark: { of: 'ours', atMost: 10 } },
  ],
});
