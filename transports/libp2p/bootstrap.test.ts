import assert from 'node:assert/strict';
import { test } from 'node:test';
import { errorCodeOf } from '../../core/index.ts';
import { createBootstrap, formatBootstrapDocument, parseBootstrapDocument } from './bootstrap.ts';
import type { BootstrapOptions, BootstrapSources } from './bootstrap.ts';

const id = '12D3KooWPSMkHaSW1AJTZwTKFwZW8uGN1G4o1NiR9FyQ6Xn2k2zE';
const signal = new AbortController().signal;
const nothing: BootstrapSources = {
  resolveHost: () => Promise.reject(new Error('not asked')),
  fetchText: () => Promise.reject(new Error('not asked')),
};

function bootstrapOf(
  options: BootstrapOptions,
  sources: Partial<BootstrapSources> = {},
): ReturnType<typeof createBootstrap> {
  return createBootstrap({ ...nothing, ...sources }, options, () => 5001);
}

test('bootstrap: static multiaddrs, with a peer id or without', async () => {
  const peers = [`/ip4/10.0.0.7/tcp/5001/p2p/${id}`, '/ip6/fd00::7/tcp/6001'];
  assert.deepEqual(await bootstrapOf({ kind: 'static', peers }).resolve(signal), [
    { id, endpoints: [{ host: '10.0.0.7', port: 5001 }] },
    { id: undefined, endpoints: [{ host: 'fd00::7', port: 6001 }] },
  ]);
});

test('bootstrap: a name gives all its addresses, with the own router port and nobody named', async () => {
  const resolveHost = (): Promise<string[]> => Promise.resolve(['10.0.0.7', 'fd00::7', 'nonsense']);
  assert.deepEqual(await bootstrapOf({ kind: 'dns', host: 'mirrors.ns.svc' }, { resolveHost }).resolve(signal), [
    { id: undefined, endpoints: [{ host: '10.0.0.7', port: 5001 }] },
    { id: undefined, endpoints: [{ host: 'fd00::7', port: 5001 }] },
  ]);
});

test('bootstrap: one object or an array over HTTP; an id may be missing, a port too; /id where no path is given', async () => {
  const asked: string[] = [];
  const own = formatBootstrapDocument(id, ['/ip4/10.0.0.7/tcp/5001']);
  assert.equal(own, `{"ID":"${id}","Addrs":["/ip4/10.0.0.7/tcp/5001"]}`);
  const fetchText = (url: string): Promise<string> => {
    asked.push(url);
    return Promise.resolve(`[${own},{"Addrs":["/ip4/10.0.0.8","/ip4/10.0.0.8/udp/1/quic-v1"]}]`);
  };
  const entries = await bootstrapOf({ kind: 'http', url: 'http://10.0.0.1:5002' }, { fetchText }).resolve(signal);
  await bootstrapOf({ kind: 'http', url: 'http://10.0.0.1:5002/peers' }, { fetchText }).resolve(signal);
  assert.deepEqual(asked, ['http://10.0.0.1:5002/id', 'http://10.0.0.1:5002/peers']);
  assert.deepEqual(entries, [
    { id, endpoints: [{ host: '10.0.0.7', port: 5001 }] },
    { id: undefined, endpoints: [{ host: '10.0.0.8', port: 5001 }] },
  ]);
  assert.deepEqual(parseBootstrapDocument(own, 1), entries.slice(0, 1));
});

test('bootstrap: what can never work is refused with words', () => {
  const wrong: [BootstrapOptions, string][] = [
    [{ kind: 'static', peers: [] }, 'OPTION_INVALID'],
    [{ kind: 'static', peers: ['10.0.0.7:5001'] }, 'ADDRESS_INVALID'],
    [{ kind: 'static', peers: ['/ip4/10.0.0.7/udp/1/quic-v1'] }, 'ADDRESS_INVALID'],
    [{ kind: 'dns', host: 'a b' }, 'OPTION_INVALID'],
    [{ kind: 'http', url: 'mirrors:5002' }, 'OPTION_INVALID'],
  ];
  for (const [options, code] of wrong) {
    assert.throws(
      () => bootstrapOf(options),
      (thrown) => errorCodeOf(thrown) === code,
      JSON.stringify(options),
    );
  }
  for (const text of ['', '7', 'null', '[1]', '{}', '{"Addrs":"x"}', '{"ID":"x","Addrs":[]}', '{"Addrs":["x"]}']) {
    assert.throws(
      () => parseBootstrapDocument(text, 1),
      (thrown) => ['OPTION_INVALID', 'ADDRESS_INVALID'].includes(errorCodeOf(thrown) ?? ''),
      text,
    );
  }
});
