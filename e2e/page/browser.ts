import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import type { TestContext } from 'node:test';
import { openDevtools } from './devtools.ts';
import type { Devtools } from './devtools.ts';

const program = (process.env['PATH'] ?? '')
  .split(delimiter)
  .map((folder) => join(folder, 'chromium'))
  .find((path) => existsSync(path));

/** For a test's `skip`. */
export const skipWithoutChromium = program === undefined ? 'chromium is missing (apt-get install chromium)' : false;

export interface PageOptions {
  readonly widthPx: number;
  readonly heightPx: number;
  readonly scheme: 'light' | 'dark';
  /** @default true */
  readonly scripts?: boolean;
}

/** One tab, and what it did. */
export interface BrowserPage {
  open(url: string): Promise<void>;
  /** The value of an expression, in the page. */
  read<T>(expression: string): Promise<T>;
  /** Runs what leads to another page: no answer of this one is waited for. */
  leave(expression: string): void;
  /** Resolves when the expression is true. */
  until(expression: string): Promise<void>;
  press(key: string): Promise<void>;
  type(text: string): Promise<void>;
  /** A PNG of all of it. */
  picture(): Promise<Uint8Array>;
  /** What the console and the security policy complained about. */
  readonly complaints: readonly string[];
  /** Addresses of everything that was asked for. */
  readonly requests: readonly string[];
}

export interface Browser {
  openPage(options: PageOptions): Promise<BrowserPage>;
}

const pollMs = 20;
const lostAfterMs = 1000;
const keyCodes: Readonly<Record<string, number>> = { Tab: 9, Enter: 13, ' ': 32 };

/** Chromium without a window and with a profile of its own; both go with the test. */
export async function openBrowser(context: TestContext): Promise<Browser> {
  const profile = await mkdtemp(join(tmpdir(), 'peili-browser-'));
  const child = spawn(
    program ?? 'chromium',
    [
      '--headless=new',
      '--no-sandbox',
      '--disable-gpu',
      '--disable-dev-shm-usage',
      '--no-first-run',
      '--disable-background-networking',
      '--remote-debugging-port=0',
      `--user-data-dir=${profile}`,
      'about:blank',
    ],
    { stdio: ['ignore', 'ignore', 'pipe'] },
  );
  const gone = new Promise((resolve) => child.once('close', resolve));
  context.after(async () => {
    child.kill('SIGKILL');
    await gone;
    await rm(profile, { recursive: true, force: true, maxRetries: 10 });
  });
  const url = await new Promise<string>((resolve, reject) => {
    let text = '';
    child.stderr.on('data', (chunk: Buffer) => {
      text += chunk.toString();
      const found = /DevTools listening on (\S+)/.exec(text)?.[1];
      if (found !== undefined) resolve(found);
    });
    child.once('close', () => {
      reject(new Error(`chromium ended:\n${text}`));
    });
  });
  const devtools = await openDevtools(url);
  return { openPage: (options) => openPage(devtools, options) };
}

async function openPage(devtools: Devtools, options: PageOptions): Promise<BrowserPage> {
  const { targetId } = await devtools.send('Target.createTarget', { url: 'about:blank' });
  const { sessionId } = await devtools.send('Target.attachToTarget', { targetId, flatten: true });
  const session = String(sessionId);
  const send = (method: string, params: Readonly<Record<string, unknown>> = {}): Promise<Record<string, unknown>> =>
    devtools.send(method, params, session);
  const complaints: string[] = [];
  const requests: string[] = [];
  devtools.on('Network.requestWillBeSent', ({ request }) => requests.push((request as { url: string }).url), session);
  devtools.on('Log.entryAdded', ({ entry }) => complaints.push((entry as { text: string }).text), session);
  devtools.on('Runtime.exceptionThrown', (params) => complaints.push(JSON.stringify(params)), session);
  devtools.on(
    'Runtime.consoleAPICalled',
    ({ type, args }) => {
      if (type === 'error' || type === 'warning') complaints.push(JSON.stringify(args));
    },
    session,
  );
  for (const domain of ['Page', 'Runtime', 'Network', 'Log']) await send(`${domain}.enable`);
  await send('Emulation.setEmulatedMedia', { features: [{ name: 'prefers-color-scheme', value: options.scheme }] });
  const { widthPx, heightPx } = options;
  const mobile = widthPx < 600;
  await send('Emulation.setDeviceMetricsOverride', { width: widthPx, height: heightPx, deviceScaleFactor: 1, mobile });
  if (options.scripts === false) await send('Emulation.setScriptExecutionDisabled', { value: true });

  const read = async <T>(expression: string): Promise<T> => {
    const { result, exceptionDetails } = await send('Runtime.evaluate', {
      expression,
      returnByValue: true,
      awaitPromise: true,
    });
    if (exceptionDetails !== undefined) throw new Error(`${expression}: ${JSON.stringify(exceptionDetails)}`);
    return (result as { value: T }).value;
  };
  const until = async (expression: string): Promise<void> => {
    const holds = (): Promise<boolean> => read<boolean>(expression).catch(() => false);
    // What is asked while the page goes to another is never answered.
    const lost = (): Promise<boolean> => pause(lostAfterMs).then(() => false);
    while (!(await Promise.race([holds(), lost()]))) await pause(pollMs);
  };
  return {
    complaints,
    requests,
    read,
    leave: (expression) => void send('Runtime.evaluate', { expression }).catch(() => undefined),
    until,
    open: async (url) => {
      await send('Page.navigate', { url });
      await until(`location.href.startsWith(${JSON.stringify(url)}) && document.readyState === 'complete'`);
    },
    press: async (key) => {
      const code = { key, windowsVirtualKeyCode: keyCodes[key] ?? 0 };
      await send('Input.dispatchKeyEvent', {
        type: 'keyDown',
        ...code,
        ...(key === 'Enter' ? { text: '\r' } : {}),
        ...(key === ' ' ? { text: ' ' } : {}),
      });
      await send('Input.dispatchKeyEvent', { type: 'keyUp', ...code });
    },
    type: async (text) => {
      await send('Input.insertText', { text });
    },
    picture: async () => {
      const { data } = await send('Page.captureScreenshot', { format: 'png', captureBeyondViewport: true });
      return Buffer.from(String(data), 'base64');
    },
  };
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
