import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync, readdirSync, readlinkSync } from 'node:fs';
import process from 'node:process';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { until } from '../../testbed/index.ts';

const victim = fileURLToPath(new URL('victim.ts', import.meta.url));
const capsule = fileURLToPath(new URL('../../tools/capsule.ts', import.meta.url));

for (const signal of ['SIGKILL', 'SIGTERM', 'SIGINT'] as const) {
  test(`capsule: ${signal} in the middle of a pull, and no process, interface, mount, device or file is left`, async () => {
    const mountsBefore = readFileSync('/proc/self/mountinfo', 'utf8');
    const interfacesBefore = readdirSync('/sys/class/net');
    const child = spawn(process.execPath, [capsule, process.execPath, victim], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const [line] = await once(child.stdout, 'data');
    const { namespace, devices } = JSON.parse(String(line)) as { namespace: string; devices: string[] };
    const files = devices.map(backingFile);
    assert.equal(files.filter((file) => file?.startsWith('/var/tmp/peili-')).length, 2, 'a disk for each node');
    assert.ok(processesIn(namespace) >= 7, 'holders, containerd, the upstream, and what left its session');
    child.kill(signal);
    await once(child, 'exit');
    await until('every process has ended', () => processesIn(namespace) === 0, 5000);
    await until('the disks are given back', () => devices.every((name, at) => backingFile(name) !== files[at]), 5000);
    assert.equal(readFileSync('/proc/self/mountinfo', 'utf8'), mountsBefore);
    assert.deepEqual(readdirSync('/sys/class/net'), interfacesBefore);
    const names = files.map((file) => file?.split('/')[3] ?? '');
    assert.deepEqual(
      readdirSync('/var/tmp').filter((name) => names.includes(name)),
      [],
    );
  });
}

function processesIn(namespace: string): number {
  return readdirSync('/proc').filter((pid) => {
    try {
      return /^\d+$/.test(pid) && readlinkSync(`/proc/${pid}/ns/pid`) === namespace;
    } catch {
      // It has just ended, or is a thread of the kernel.
      return false;
    }
  }).length;
}

/** What a loop device stands for; undefined: nothing. */
function backingFile(device: string): string | undefined {
  try {
    return readFileSync(`/sys/block/${device}/loop/backing_file`, 'utf8');
  } catch {
    return undefined;
  }
}
