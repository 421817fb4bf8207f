import assert from 'node:assert/strict';
import { test } from 'node:test';
import { defaultLimits } from '../../core/index.ts';
import { relayedSteps, tellPull } from '../event-fixture.ts';
import { createDebugView } from './debug-view.ts';
import { html } from './html.ts';
import { emptyForm } from './page-measure.ts';
import { renderPage } from './page.ts';
import { isSameOrigin } from './same-origin.ts';
import type { DebugSnapshot } from './snapshot.ts';
import { formatRate } from './words.ts';

const evil = `"><script>alert(1)</script><img src=x onerror='alert(1)'>&\u202egpj.exe\u0000`;

async function hostileSnapshot(): Promise<DebugSnapshot> {
  const view = createDebugView({ nowUs: () => 0, wallUs: () => 0 }, { limits: defaultLimits, version: evil });
  const steps = relayedSteps.map((step) => ('source' in step ? { ...step, source: evil } : step));
  tellPull(view.observer, 1, { repository: evil, registry: evil, key: `${evil}/${evil}:${evil}` }, [
    { type: 'attempt-failed', source: evil, reason: evil, tookUs: 1 },
    { type: 'suspect', source: evil, proof: 'none' },
    ...steps,
  ]);
  view.observer.onNode({ type: 'name-skipped', name: evil, reason: evil });
  view.observer.onNode({ type: 'canary', arrived: false, outcome: 'not-asked', reason: evil, tookUs: 1 });
  const object = {
    key: evil,
    resource: 'blob',
    status: 200,
    bytes: 1,
    sizeBytes: 1,
    headMs: 1,
    tookMs: 1,
    steps: [],
  } as const;
  const measurement = {
    reference: evil,
    atMs: 0,
    ownContent: false,
    tookMs: 1,
    lookup: { outcome: 'found', tookMs: 1, holders: [{ source: evil, zone: evil }] },
    bytes: 1,
    objects: [{ ...object, sources: [{ source: evil, bytes: 1 }] }],
    stopped: evil,
  } as const;
  return {
    ...(await view.snapshot()),
    node: { id: evil, zone: evil, registry: [evil] },
    members: {
      total: 1,
      connected: 1,
      list: [{ id: evil, kind: 'peili', address: evil, registryPort: 1, zone: evil, connected: true }],
    },
    images: { total: 1, names: [evil] },
    measurements: [measurement],
  };
}

test('page: names of members, images and sources are text, whatever they are', async () => {
  const snapshot = await hostileSnapshot();
  const refused = renderPage(snapshot, { ...emptyForm, reference: evil, problem: evil });
  const text = renderPage(snapshot, emptyForm) + refused;
  assert.ok(text.includes('&lt;script&gt;alert(1)&lt;/script&gt;'), 'it is shown');
  const without = text.replaceAll('<script src="script.js"></script>', '');
  assert.doesNotMatch(without, /<script|<img|alert\(1\)<\/script>/);
  assert.doesNotMatch(text, /["']&gt;&lt;script|onerror='/, 'no quote ends an attribute');
  assert.ok(!text.includes('\u202e') && !text.includes('\u0000'), 'nothing turns the direction of what follows');
});

test('page: who is refused is told so, and not what costs time to render', async () => {
  const snapshot = await hostileSnapshot();
  const [whole, refused] = [emptyForm, { ...emptyForm, problem: 'Refused.' }].map((form) => renderPage(snapshot, form));
  for (const id of ['pulls', 'members', 'images', 'troubles']) {
    assert.deepEqual([whole?.includes(`id="${id}"`), refused?.includes(`id="${id}"`)], [true, false], id);
  }
  assert.match(refused ?? '', /id="measure-form"[\s\S]*Refused\./);
});

test('page: nothing of it is from elsewhere, and nothing stands inline', async () => {
  const text = renderPage(await hostileSnapshot(), emptyForm);
  const addresses = [...text.matchAll(/ (?:src|href|action)="([^"]*)"/g)].map(([, address]) => address);
  assert.deepEqual(
    new Set(addresses),
    new Set(['.', 'data:,', 'style.css', '#pulls', 'measure', 'api', '/metrics', 'script.js']),
  );
  assert.doesNotMatch(text, / style="| on[a-z]+="/);
});

test('words: a rate is as short as an amount, and none without time', () => {
  assert.deepEqual([formatRate(1100, 1221), formatRate(30e6, 250), formatRate(9, 0)], ['901 B/s', '114.4 MiB/s', '']);
});

test('html: values are escaped, markup is not, nothing is nothing', () => {
  const inner = html`<b>${'<'}</b>`;
  assert.equal(html`${inner}${['"', inner]}${null}${undefined}${false}${0}`.markup, '<b>&lt;</b>&quot;<b>&lt;</b>0');
});

test('same origin: a POST of another page is none', () => {
  const host = 'node:9090';
  const cases: readonly [Record<string, string>, boolean][] = [
    [{ host }, true],
    [{ host, origin: 'http://node:9090' }, true],
    [{ host, origin: 'https://node:9090', 'sec-fetch-site': 'same-origin' }, true],
    [{ host, origin: 'http://node' }, false],
    [{ host, origin: 'http://evil.example' }, false],
    [{ host, origin: 'null' }, false],
    [{ origin: 'http://node:9090' }, false],
    [{ host, 'sec-fetch-site': 'cross-site' }, false],
    [{ host, 'sec-fetch-site': 'same-site' }, false],
    [{ host, origin: 'http://node:9090', 'sec-fetch-site': 'none' }, false],
  ];
  for (const [headers, expected] of cases) assert.equal(isSameOrigin(headers), expected, JSON.stringify(headers));
});
