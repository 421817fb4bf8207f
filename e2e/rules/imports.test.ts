import assert from 'node:assert/strict';
import { test } from 'node:test';
import { importTable } from './imports.ts';
import { findingsIn } from './planted.ts';

const forbidden: readonly (readonly [path: string, source: string, says: RegExp])[] = [
  ['core/a.ts', "import { readFile } from 'node:fs/promises';", /pure packages only/],
  ['core/a.ts', "import { createHash } from 'node:crypto';", /pure packages only/],
  ['core/a.test.ts', "import { connect } from 'node:net';", /pure packages only/],
  ['core/a.ts', "import type { Socket } from 'node:net';", /pure packages only/],
  ['core/a.ts', "export * from 'undici';", /pure packages only/],
  ['core/a.ts', "import { sha256 } from 'multiformats/hashes/sha2';", /pure packages only/],
  ['core/a.ts', "const load = () => import('node:os');", /pure packages only/],
  ['core/a.ts', "type Stats = import('node:fs').Stats;", /pure packages only/],
  ['core/a.ts', "import { test } from 'node:test';", /pure packages only/],
  ['core/a.ts', "import { serve } from '../transports/index.ts';", /core\/ may not import transports\//],
  ['core/a.test.ts', "import { serve } from '../transports/index.ts';", /core\/ may not import transports\//],
  ['core/a.ts', "import { createVirtualClock } from './testing/virtual-clock.ts';", /for tests alone/],
  ['core/relay/a.ts', "import { b } from './b.js';", /ends in \.ts/],
  ['core/relay/a.ts', "import { b } from './b';", /ends in \.ts/],
  ['transports/http/a.ts', "import { demo } from '../../cli/index.ts';", /may not import cli\//],
  ['transports/http/a.ts', "import { relay } from '../../core/relay/relay.ts';", /is no door/],
  ['sim/a.ts', "import { serve } from '../transports/index.ts';", /may not import transports\//],
  ['sim/reference/a.ts', "import { parseRange } from '../../core/index.ts';", /knows nothing of the product/],
  ['sim/reference/a.ts', "import type { World } from '../run/world.ts';", /knows nothing of the product/],
  ['testbed/a.ts', "export { x } from '../sim/index.ts';", /may not import sim\//],
  ['cli/main.ts', "import { rules } from '../e2e/index.ts';", /may not import e2e\//],
  ['cli/main.ts', "import { createMirror } from 'peili';", /the last build/],
  ['attic/a.ts', "import { x } from '../core/index.ts';", /no row in the import table/],
];

const allowed: readonly (readonly [path: string, source: string])[] = [
  [
    'core/relay/a.ts',
    "import { RE2JS } from 're2js'; import { CID } from 'multiformats/cid'; import type { Clock } from '../ports/index.ts';",
  ],
  [
    'core/relay/a.test.ts',
    "import { test } from 'node:test'; import assert from 'node:assert/strict'; import fc from 'fast-check';",
  ],
  ['core/relay/a.test.ts', "import { createVirtualClock } from '../testing/virtual-clock.ts';"],
  ['transports/http/a.ts', "import { request } from 'undici'; import type { Mirror } from '../../core/index.ts';"],
  ['transports/http/a.test.ts', "import { clockSuite } from '../../core/conformance/index.ts';"],
  ['testbed/a.ts', "import { startNode } from '../transports/index.ts';"],
  ['cli/main.ts', "import packageJson from '../package.json' with { type: 'json' };"],
  ['sim/reference/a.ts', "import { b } from './b.ts';"],
  ['e2e/a.test.ts', "import { cluster } from '../testbed/index.ts';"],
];

for (const [path, source, says] of forbidden) {
  test(`imports: ${path} may not say ${source}`, () =>
    assert.match(findingsIn(importTable, path, source).join(), says));
}
for (const [path, source] of allowed) {
  test(`imports: ${path} may say ${source}`, () => assert.deepEqual(findingsIn(importTable, path, source), []));
}
