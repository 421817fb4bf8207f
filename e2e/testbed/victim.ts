import { readlinkSync, readFileSync } from 'node:fs';
import process from 'node:process';
import { startNetnsCluster } from '../../testbed/index.ts';

// In the middle of everything: nodes on disk, an upstream, a process that has left its session, and a pull that does not end.
// `killed.test.ts` ends it, and looks for what it names here.
const cluster = await startNetnsCluster({ nodes: 2, store: 'disk' });
const image = await cluster.upstream.addImage({ name: 'team/app:1.0', layers: [{ sizeBytes: 50_000_000 }] });
await cluster.upstream.cut('stalled');
cluster.node(0).spawn(['setsid', '--fork', 'sleep', 'infinity'], { stdio: 'ignore' });
const pull = cluster.node(0).pull(image.name, { timeoutMs: 600_000 });
const loopDevices = [...readFileSync('/proc/self/mountinfo', 'utf8').matchAll(/ \/dev\/(?<name>loop\d+) /g)];
const namespace = readlinkSync('/proc/self/ns/pid');
process.stdout.write(`${JSON.stringify({ namespace, devices: loopDevices.map(({ groups }) => groups?.['name']) })}\n`);
await pull;
