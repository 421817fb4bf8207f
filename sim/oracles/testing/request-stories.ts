import type { oracles } from '../all.ts';
import { layerBytes } from './stage.ts';
import { half, second, whole } from './story.ts';
import type { Story } from './story.ts';

/** Of requests and their answers. */
export const requestStories = {
  bytesAreTheContents: {
    right: whole([
      [0, half],
      [half, half],
    ]),
    wrong: whole([
      [0, half],
      [half + 1, half],
    ]),
    says: /stand where those at 10000 belong/,
  },
  endsAreHonest: {
    right: whole([[0, half]], 'fin'),
    wrong: whole([[0, half]]),
    says: /ended cleanly after 10000 of 20000/,
  },
  rangesAreExact: {
    scenario: {
      faults: [{ atUs: 0, target: 1, what: { kind: 'http', fault: { kind: 'other-size', bytes: 1 } } }],
    },
    right: (stage) => {
      // Whoever has read no manifest believes it.
      stage.layerHead(stage.ask(stage.client(0), stage.mirror(0)), 200, layerBytes + 1);
      const exchange = stage.ask(stage.client(0), stage.mirror(0), { range: 'bytes=5-9' });
      stage.head(exchange, 206, { 'content-length': '5', 'content-range': `bytes 5-9/${layerBytes}` });
    },
    wrong: (stage) => {
      const manifest = stage.ask(
        stage.client(0),
        stage.mirror(0),
        {},
        `/v2/library/app/manifests/${stage.image.manifest.digest}?ns=docker.io`,
      );
      stage.head(manifest, 200, { 'content-length': String(stage.image.manifest.sizeBytes) });
      stage.ends(manifest);
      const exchange = stage.ask(stage.client(0), stage.mirror(0), { range: 'bytes=5-9' });
      stage.layerHead(exchange, 200);
    },
    says: /with range bytes=5-9: 200 20000 , not 206 5/,
  },
  answersAreAllowed: {
    right: (stage) => {
      stage.node(1).store.commit(stage.layer);
      stage.layerHead(stage.ask(stage.client(0), stage.mirror(0)));
      stage.head(stage.ask(stage.client(0), stage.mirror(0)), 404);
      stage.head(stage.ask(stage.mirror(1), stage.mirror(0)), 404);
      stage.head(stage.ask(stage.mirror(2), stage.mirror(1)), 503);
    },
    wrong: (stage) => {
      stage.layerHead(stage.ask(stage.client(0), stage.mirror(0)));
    },
    says: /n0 answers .*"status":200.*allowed: \[{"status":404/,
  },
  nothingIsForwarded: {
    right: (stage) => {
      stage.starts(0);
      stage.attempt(0, 'n1');
      stage.starts(0, { mirrored: true });
      stage.attempt(0, 'local');
    },
    wrong: (stage) => {
      stage.starts(0, { mirrored: true });
      stage.attempt(0, 'n1');
    },
    says: /n0 forwards/,
  },
  attemptsAreBounded: {
    right: (stage) => {
      stage.starts(0);
      for (let from = 0; from < 100; from += 1) stage.attempt(0, 'n1', from);
    },
    wrong: (stage) => {
      stage.starts(0);
      for (let count = 0; count < 100; count += 1) stage.attempt(0, 'n1');
    },
    says: /for the 17th time in vain/,
  },
  stallsAreBorneOnce: {
    right: (stage) => {
      stage.starts(0);
      stage.tells(0, { type: 'stall', source: 'n1', at: half, waitedUs: 2 * second });
      stage.attempt(0, 'n2', half);
      stage.tells(0, { type: 'head', source: 'n2', status: 206, sizeBytes: layerBytes, tookUs: 0 });
      stage.attempt(0, 'n2', half + 1);
    },
    wrong: (stage) => {
      stage.starts(0);
      stage.tells(0, { type: 'stall', source: 'n1', at: half, waitedUs: 2 * second });
      for (let count = 0; count < 2; count += 1) stage.attempt(0, 'n2', half);
    },
    says: /n0 asks n2 again for the byte at 10000/,
  },
  headsAreBounded: {
    right: (stage) => {
      stage.starts(0, { resource: 'manifest' });
      stage.tells(0, { type: 'attempt-failed', source: 'n1', reason: 'HEAD_TIMEOUT', tookUs: 2 * second });
    },
    wrong: (stage) => {
      stage.starts(0, { resource: 'manifest', method: 'HEAD' });
      stage.tells(0, { type: 'attempt-failed', source: 'n1', reason: 'HEAD_TIMEOUT', tookUs: 2 * second });
    },
    says: /waited 2000000 us for a head from n1, at most 1000000/,
  },
  storiesAddUp: {
    right: (stage) => {
      stage.starts(0);
      stage.tells(0, { type: 'bytes', source: 'n1', from: 0, to: layerBytes });
      stage.endOfPull(0);
    },
    wrong: (stage) => {
      stage.starts(0);
      stage.tells(0, { type: 'bytes', source: 'n1', from: 0, to: half });
      stage.endOfPull(0);
    },
    says: /sent 20000 bytes of .* and tells of 10000/,
  },
  nobodyIsSlandered: {
    scenario: { faults: [{ atUs: 0, target: 1, what: { kind: 'corrupt', atByte: 0 } }] },
    right: (stage) => {
      stage.starts(0);
      stage.tells(0, { type: 'liar', source: 'n1', digest: stage.layer.digest });
      stage.starts(1);
      stage.tells(1, { type: 'liar', source: 'local', digest: stage.layer.digest });
    },
    wrong: (stage) => {
      stage.starts(0);
      stage.tells(0, { type: 'liar', source: 'n2', digest: stage.layer.digest });
    },
    says: /names n2 a liar/,
  },
  storiesEnd: {
    right: (stage) => {
      stage.starts(0);
      stage.endOfPull(0);
    },
    wrong: (stage) => {
      stage.starts(0);
    },
    says: /n0 still works on GET/,
  },
  filteredIsLeftAlone: {
    scenario: { mirror: { mirroredRegistries: ['ghcr.io'] } },
    right: (stage) => {
      stage.starts(0, { registry: 'ghcr.io' });
      stage.attempt(0, 'n1');
      stage.endOfPull(0);
      stage.starts(0);
      stage.endOfPull(0, { reason: 'filtered', status: 404, bytes: 0 });
    },
    wrong: (stage) => {
      stage.starts(0);
      stage.tells(0, { type: 'lookup', sources: 0, tookUs: 0, outcome: 'nobody' });
    },
    says: /which is filtered: lookup/,
  },
  filteredIsNotAsked: {
    scenario: { mirror: { registryFilters: ['library/'] } },
    right: (stage) => {
      stage.ask(stage.client(0), stage.mirror(0));
      stage.ask(stage.mirror(0), stage.mirror(1), {}, `/v2/other/app/blobs/${stage.layer.digest}?ns=docker.io`);
    },
    wrong: (stage) => {
      stage.ask(stage.mirror(0), stage.mirror(1));
    },
    says: /n0 asks n1 for .*, which is filtered/,
  },
  onlyHoldersAreAsked: {
    right: (stage) => {
      stage.node(1).store.commit(stage.layer);
      stage.node(1).store.remove(stage.layer.digest);
      stage.ask(stage.mirror(0), stage.mirror(1));
    },
    wrong: (stage) => {
      stage.node(1).store.commit(stage.layer);
      stage.ask(stage.mirror(0), stage.mirror(2));
    },
    says: /n0 asks n2 for .*, which it has never had/,
  },
} satisfies Partial<Readonly<Record<keyof typeof oracles, Story>>>;
