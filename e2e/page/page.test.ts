import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdir, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { join } from 'node:path';
import { test } from 'node:test';
import type { TestContext } from 'node:test';
import { createImage, pull, startUpstream } from '../../testbed/index.ts';
import type { TestImage } from '../../testbed/index.ts';
import { openFolder, startProgramNode } from '../program/program-fixture.ts';
import type { ProgramNode } from '../program/program-fixture.ts';
import { openBrowser, skipWithoutChromium } from './browser.ts';
import type { Browser, BrowserPage } from './browser.ts';
import { lowContrasts } from './low-contrasts.ts';

const mebibyte = 1024 * 1024;
const timeout = 60_000;
/** For whoever wants to look: PNG files are left there. */
const picturesFolder = process.env['PEILI_PICTURES'];

interface Scene {
  readonly browser: Browser;
  readonly image: TestImage;
  readonly nodes: readonly ProgramNode[];
  /** Of the last node, which has pulled the image from the others and another one from upstream. */
  readonly url: string;
}

/** Three nodes as an operator runs them; two hold the image. */
async function openScene(context: TestContext): Promise<Scene> {
  const directory = await openFolder(context);
  const image = await createImage({
    name: 'registry.example:5000/team/app:1.0',
    layers: [{ sizeBytes: 24 * mebibyte }, { sizeBytes: 2 * mebibyte }],
  });
  const other = await createImage({
    name: 'registry.example:5000/team/alone:2.0',
    layers: [{ sizeBytes: 8 * mebibyte }],
  });
  const upstream = await startUpstream({ content: [image, other] });
  context.after(() => upstream.close());
  const nodes: ProgramNode[] = [];
  for (const zone of ['zone-a', 'zone-b', 'zone-a']) {
    const name = `node-${nodes.length}`;
    nodes.push(await startProgramNode(context, { directory, name, peers: nodes, args: ['--zone', zone] }));
  }
  const signal = AbortSignal.timeout(timeout);
  const [first, second, third] = nodes;
  assert.ok(first !== undefined && second !== undefined && third !== undefined);
  const pullOn = (node: ProgramNode, reference: string) =>
    pull({ reference, mirror: node.url, upstream: upstream.url, into: node.layout, signal });
  for (const node of [first, second]) await pullOn(node, image.name);
  await pullOn(third, other.name);
  const tag = `${third.url}/v2/team/app/manifests/1.0?ns=registry.example:5000`;
  for (const digest of [...image.blobs.keys()].filter((digest) => digest !== image.root.digest)) {
    const blob = `${third.url}/v2/team/app/blobs/${digest}?ns=registry.example:5000`;
    while ((await fetch(blob, { method: 'HEAD', signal })).status !== 200) await pause();
  }
  while ((await fetch(tag, { method: 'HEAD', signal })).status !== 200) await pause();
  await pullOn(third, image.name);
  return {
    browser: await openBrowser(context),
    image,
    nodes,
    url: third.metricsUrl.replace('/metrics', '/debug/web/'),
  };
}

function pause(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, 10));
}

async function keepPicture(page: BrowserPage, name: string): Promise<void> {
  if (picturesFolder === undefined) return;
  await mkdir(picturesFolder, { recursive: true });
  await writeFile(join(picturesFolder, `${name}.png`), await page.picture());
}

const textOf = (id: string): string => `document.getElementById('${id}').innerText`;
const wide = { widthPx: 1100, heightPx: 900, scheme: 'light' } as const;
const phone = { widthPx: 360, heightPx: 740, scheme: 'light' } as const;

test('page: in real Chromium', { timeout, skip: skipWithoutChromium }, async (context) => {
  const { browser, image, nodes, url } = await openScene(context);

  await context.test('says that it works, who the members are, and where each pull came from', async () => {
    const page = await browser.openPage(wide);
    await page.open(url);
    assert.equal(await page.read("document.querySelector('h1').innerText"), 'Working');
    const members = await page.read<string>(textOf('members'));
    assert.match(members, /zone-a/);
    assert.match(members, /zone-b/);
    const pulls = await page.read<string>(textOf('pulls'));
    assert.match(pulls, /registry\.example:5000\/team\/app:1\.0[\s\S]*26\.0 MiB in/);
    assert.match(pulls, /registry\.example:5000\/team\/alone:2\.0[\s\S]*nobody had it[\s\S]*upstream/);
    await page.until(`${textOf('images')}.includes('team/app:1.0')`);
    await page.read("document.querySelectorAll('details').forEach((each) => { each.open = true; })");
    await keepPicture(page, 'light');
    assert.deepEqual(page.complaints, []);
    const elsewhere = page.requests.filter(
      (address) => !address.startsWith(new URL(url).origin) && !address.startsWith('data:'),
    );
    assert.deepEqual(elsewhere, [], 'no request leaves the origin');
  });

  await context.test('shows what happens next by itself, and what was opened stays open', async () => {
    const page = await browser.openPage(wide);
    await page.open(url);
    await page.read("document.querySelector('#pulls details').open = true");
    const [first] = nodes;
    first?.signal('SIGKILL');
    await first?.ended;
    const third = nodes.at(-1);
    await (await fetch(`${third?.url ?? ''}/v2/team/absent/manifests/9?ns=registry.example:5000`)).bytes();
    await page.until(`${textOf('pulls')}.includes('team/absent:9')`);
    assert.equal(await page.read("document.querySelectorAll('#pulls details[open]').length"), 1);
    assert.deepEqual(page.complaints, []);
  });

  await context.test('the form works by keyboard alone', async () => {
    const page = await browser.openPage(wide);
    await page.open(url);
    const focused = (): Promise<string> => page.read('document.activeElement.id || document.activeElement.tagName');
    for (let presses = 0; (await focused()) !== 'reference'; presses += 1) {
      assert.ok(presses < 40, 'the field is reached by Tab');
      await page.press('Tab');
    }
    await page.read('document.activeElement.select()');
    await page.type(image.name);
    await page.press('Tab');
    assert.equal(await focused(), 'BUTTON');
    assert.notEqual(await page.read('getComputedStyle(document.activeElement).outlineStyle'), 'none', 'focus shows');
    await page.press('Enter');
    await page.until(`${textOf('measurements')}.includes('team/app:1.0')`);
    assert.match(await page.read(textOf('measurements')), /lookup took .*holder[\s\S]*26\.0 MiB in/);
    await page.until(`${textOf('measure-said')} === 'Measured.'`);
    await keepPicture(page, 'measured');
    await page.press('Enter');
    await page.until(`/measure again in \\d s/.test(${textOf('measure-said')})`);
    // What the answer 429 leaves in the console is the browser's own.
    assert.deepEqual(
      page.complaints.filter((text) => !text.includes('429')),
      [],
    );
  });

  await context.test('without scripts it shows the same, and the form works', async () => {
    const page = await browser.openPage({ ...wide, scripts: false });
    await page.open(url);
    assert.match(await page.read(textOf('live')), /look again/);
    const answer = await page.read<string>(`document.getElementById('measure-form').action`);
    assert.equal(answer, `${url}measure`);
    page.leave("document.getElementById('measure-form').submit()");
    await page.until(`location.hash === '#measure' || /measure again/.test(document.body.innerText)`);
  });

  await context.test('a page of another origin cannot send the form', async (inner) => {
    const before = await measurementsOf(url);
    const foreign = createServer((_request, response) =>
      response.setHeader('content-type', 'text/html').end('<p>elsewhere'),
    );
    await once(foreign.listen(0, '127.0.0.1'), 'listening');
    inner.after(() => {
      foreign.close();
      foreign.closeAllConnections();
    });
    const address = foreign.address();
    assert.ok(typeof address === 'object' && address !== null);
    const page = await browser.openPage(wide);
    await page.open(`http://127.0.0.1:${address.port}/`);
    page.leave(`document.body.innerHTML = '<form method=post action="${url}measure"><input name=reference value="${image.name}"></form>';
      document.forms[0].submit()`);
    await page.until("document.body.innerText.includes('Refused: this was not sent by this page.')");
    assert.equal(await measurementsOf(url), before, 'nothing was measured');
  });

  for (const [name, options] of Object.entries({
    light: wide,
    dark: { ...wide, scheme: 'dark' },
    phone,
    'phone-dark': { ...phone, scheme: 'dark' },
  } as const)) {
    await context.test(`${name}: fits its width, and every text stands out from its ground`, async () => {
      const page = await browser.openPage(options);
      await page.open(url);
      await page.read("document.querySelectorAll('details').forEach((each) => { each.open = true; })");
      assert.ok((await page.read<number>('document.documentElement.scrollWidth')) <= options.widthPx);
      const ground = await page.read<string>('getComputedStyle(document.body).backgroundColor');
      const brightness = Number(/\d+/.exec(ground)?.[0]);
      assert.ok(options.scheme === 'dark' ? brightness < 64 : brightness > 192, ground);
      assert.deepEqual(await page.read(lowContrasts), []);
      await keepPicture(page, name);
      assert.deepEqual(page.complaints, []);
    });
  }
});

async function measurementsOf(url: string): Promise<number> {
  const { measurements } = (await (await fetch(`${url}api`)).json()) as { measurements: unknown[] };
  return measurements.length;
}
