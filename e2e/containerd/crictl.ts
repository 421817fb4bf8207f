import process from 'node:process';
import { createCriClient } from '../../transports/index.ts';

/** What the guides want of crictl, with its words, for machines that have none: Debian has no package of it. */
const [command = '', reference = ''] = process.argv.slice(2);
const cri = createCriClient({ socket: '/run/containerd/containerd.sock' });
const signal = AbortSignal.timeout(120_000);
try {
  if (command === 'pull') console.log(`Image is up to date for ${await cri.pullImage(reference, signal)}`);
  else if (command === 'rmi') {
    await cri.removeImage(reference, signal);
    console.log(`Deleted: ${reference}`);
  } else throw new Error(`no such command here: ${command}`);
} catch (error) {
  console.log(error instanceof Error ? error.message : String(error));
  process.exitCode = 1;
} finally {
  cri.close();
}
