// Plain JavaScript that any Node parses: its first duty is to say so when the Node that runs it is too old for the rest.
import { spawn } from 'node:child_process';
import process from 'node:process';

const wanted = 26;
const major = Number(process.versions.node.split('.')[0]);
if (major < wanted) {
  console.error(
    `peili's tests need Node ${wanted} or newer and this is ${process.versions.node} (${process.execPath}): ` +
      'run them as `npm test` after `npm ci`, which brings the right Node on Linux (glibc, x64 and arm64) and macOS (arm64).',
  );
  process.exit(1);
}

// Laws on real parts (e2e/*.test.ts and below) need real programs: `npm run e2e`. The repository's rules need nothing.
const everything = ['{core,transports,sim,testbed,cli,bench,tools}/**/*.test.ts', 'e2e/rules/**/*.test.ts'];
const [first] = process.argv.slice(2).filter((argument) => !argument.startsWith('-'));
const patterns = first === undefined ? everything : [];

const child = spawn(process.execPath, ['--test', ...process.argv.slice(2), ...patterns], { stdio: 'inherit' });
process.on('SIGINT', () => child.kill('SIGINT'));
process.on('SIGTERM', () => child.kill('SIGTERM'));
child.on('exit', (code, signal) => process.exit(code ?? (signal === null ? 1 : 130)));
