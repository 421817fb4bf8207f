import assert from 'node:assert/strict';
import { execFileSync, spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import process from 'node:process';
import { after, test } from 'node:test';
import { nodeOptions } from '../../tools/image/image-config.ts';

const skip =
  process.platform !== 'linux' || process.getuid?.() !== 0
    ? 'a root of its own takes Linux and root: sudo npm run e2e'
    : !existsSync('dist/peili.mjs') && 'dist/ is missing: npm run build';
const options = { skip, timeout: 120_000 };

const work = mkdtempSync(join(tmpdir(), 'peili-image-'));
const root = join(work, 'root');
const mounts = {
  'etc/containerd/certs.d': join(work, 'certs.d'),
  'var/lib/peili': join(work, 'data'),
  srv: join(work, 'layout'),
};
after(() => {
  rmSync(work, { recursive: true, force: true });
});

if (skip === false) {
  mkdirSync(join(mounts.srv, 'blobs'), { recursive: true });
  writeFileSync(join(mounts.srv, 'oci-layout'), '{"imageLayoutVersion":"1.0.0"}');
  writeFileSync(join(mounts.srv, 'index.json'), '{"schemaVersion":2,"manifests":[]}');
  execFileSync(process.execPath, ['tools/image.ts', '--root', root], { stdio: 'inherit' });
  for (const [place, folder] of Object.entries(mounts)) {
    mkdirSync(join(root, place), { recursive: true });
    mkdirSync(folder, { recursive: true });
  }
}

/** Runs a command as a pod's container does: as process 1, in the image's root, which cannot be written to, with its environment. */
function run(command: readonly string[], more: readonly string[] = []): ChildProcess {
  const binds = Object.entries(mounts).map(([place, folder]) => `mount --bind ${folder} ${root}/${place}`);
  const script = [
    'set -e',
    `mount --bind ${root} ${root}`,
    `mount -t proc proc ${root}/proc`,
    ...binds,
    `mount -o remount,ro,bind ${root}`,
    `exec "$(command -v env)" -i PATH=/usr/bin "NODE_OPTIONS=$NODE_OPTIONS_INSIDE" "$(command -v chroot)" ${root} "$@"`,
  ];
  const namespaces = ['--mount', '--pid', '--net', '--fork', '--kill-child', '--propagation', 'private'];
  const inside = [...nodeOptions, ...more].join(' ');
  const env = { PATH: `${process.env['PATH'] ?? ''}:/usr/sbin:/sbin`, NODE_OPTIONS_INSIDE: inside };
  return spawn('unshare', [...namespaces, 'sh', '-c', script.join('\n'), 'sh', ...command], { env });
}

async function outputOf(command: readonly string[]): Promise<string> {
  const child = run(command);
  let text = '';
  for (const stream of [child.stdout, child.stderr])
    stream?.setEncoding('utf8').on('data', (part: string) => (text += part));
  const [code] = (await once(child, 'close')) as [number | null];
  assert.equal(code, 0, text);
  return text;
}

function untilSaid(child: ChildProcess, pattern: RegExp): Promise<void> {
  let text = '';
  return new Promise((resolve, reject) => {
    child.stderr?.setEncoding('utf8').on('data', (part: string) => {
      text += part;
      if (pattern.test(text)) resolve();
    });
    child.once('close', () => {
      reject(new Error(`it ended: ${text}`));
    });
  });
}

test('image: the program starts by its name, without a warning', options, async () => {
  assert.match(await outputOf(['/usr/bin/peili', '--version']), /^\d+\.\d+\.\d+\n$/);
});

test('image: it holds Node, its libraries and the program, and no shell', options, () => {
  assert.deepEqual(readdirSync(join(root, 'usr/bin')).toSorted(), ['node', 'peili']);
});

test('image: hosts.toml is written, and what was there is put back to the byte', options, async () => {
  const file = join(mounts['etc/containerd/certs.d'], 'docker.io/hosts.toml');
  const before = "server = 'https://mirror.example'\n";
  mkdirSync(join(file, '..'));
  writeFileSync(file, before);
  await outputOf([
    '/usr/bin/peili',
    'configuration',
    '--mirror-targets',
    'http://10.0.0.7:30020',
    '--prepend-existing',
  ]);
  assert.match(readFileSync(file, 'utf8'), /host\.'http:\/\/10\.0\.0\.7:30020'/);
  await outputOf(['/usr/bin/peili', 'cleanup']);
  assert.equal(readFileSync(file, 'utf8'), before);
  assert.deepEqual(readdirSync(mounts['etc/containerd/certs.d']), ['docker.io']);
});

test('image: a program in it starts nothing and writes nowhere else', options, async () => {
  const script = `
    const fs = require('node:fs');
    const refusals = [
      () => require('node:child_process').spawnSync('/usr/bin/node'),
      () => fs.writeFileSync('/srv/index.json', ''),
      () => fs.writeFileSync('/var/lib/other', ''),
      () => process.dlopen({ exports: {} }, '/srv/x.node'),
    ].map((attempt) => { try { attempt(); return 'done'; } catch (error) { return error.code; } });
    fs.writeFileSync('/var/lib/peili/may', '');
    console.log(JSON.stringify(refusals));`;
  const refusals = JSON.parse(await outputOf(['/usr/bin/node', '-e', script])) as string[];
  assert.deepEqual(refusals, ['ERR_ACCESS_DENIED', 'ERR_ACCESS_DENIED', 'ERR_ACCESS_DENIED', 'ERR_DLOPEN_DISABLED']);
});

test(
  'image: a mirror keeps its identity, and one whose main thread stands still ends, though it is process 1',
  options,
  async (t) => {
    const stuck =
      "--import=data:text/javascript,process.on('SIGUSR2',()=>{Atomics.wait(new/**/Int32Array(new/**/SharedArrayBuffer(4)),0,0)})";
    const registry = [
      '/usr/bin/peili',
      'registry',
      '--store=oci-layout:/srv',
      '--data-dir=/var/lib/peili',
      '--registry-addr=:5000',
    ];
    const child = run(registry, [stuck]);
    t.after(() => child.kill('SIGKILL'));
    await untilSaid(child, /"msg":"running"/);
    assert.match(readFileSync(join(mounts['var/lib/peili'], 'private.key'), 'utf8'), /PRIVATE KEY/);
    const said = untilSaid(child, /the main thread has stood still/);
    const ended = once(child, 'close');
    // unshare has one child, which is the program: its signals come from outside of its namespace.
    const inside = readFileSync(`/proc/${child.pid}/task/${child.pid}/children`, 'utf8').trim();
    process.kill(Number(inside), 'SIGUSR2');
    await said;
    await ended;
  },
);
