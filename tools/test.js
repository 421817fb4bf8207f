// Plain JavaScript that any Node parses: its first duty is to say so when the Node that runs it is too old for the rest.
import { spawn } from 'node:child_process';
import { availableParallelism } from 'node:os';
import process from 'node:process';
import { fileURLToPath } from 'node:url';
import { stripVTControlCharacters } from 'node:util';

const wanted = 26;
const major = Number(process.versions.node.split('.')[0]);
if (major < wanted) {
  console.error(
    `peili's tests need Node ${wanted} or newer and this is ${process.versions.node} (${process.execPath}): ` +
      'run them as `npm test` after `npm ci`, which brings the right Node on Linux (glibc, x64 and arm64) and macOS (arm64).',
  );
  process.exit(1);
}

// Laws on real parts (the rest of e2e/) need real programs: `npm run e2e`. The repository's rules and clusters on loopback need nothing.
const everything = ['{core,transports,sim,testbed,cli,bench,tools}/**/*.test.ts', 'e2e/{rules,loopback}/**/*.test.ts'];
const given = process.argv.slice(2);
const patterns = given.some((argument) => !argument.startsWith('-')) ? [] : everything;

// Each file is a process of its own, and most of its time is the same modules: what one has compiled the next one reads.
const compiled = fileURLToPath(new URL('../node_modules/.cache/compiled', import.meta.url));
// By itself the runner leaves a core idle: of two, half.
const concurrency = `--test-concurrency=${availableParallelism()}`;
const child = spawn(process.execPath, ['--test', '--test-timeout=120000', concurrency, ...given, ...patterns], {
  stdio: ['inherit', 'pipe', 'inherit'],
  env: { NODE_COMPILE_CACHE: compiled, ...(process.stdout.isTTY ? { FORCE_COLOR: '1' } : {}), ...process.env },
});
process.on('SIGINT', () => child.kill('SIGINT'));
process.on('SIGTERM', () => child.kill('SIGTERM'));

// A test file that leaves a socket or a timer behind never ends, and no time-out of the runner applies to it.
// On SIGINT the runner names the files that still run.
const silenceMaxMs = 180_000;
const watchdog = setTimeout(() => {
  console.error(`no test ended for ${silenceMaxMs / 1000} s: a file that is still running left something open`);
  child.kill('SIGINT');
}, silenceMaxMs);

// Node prints its summary before the failures. A log is read from its end, so that there it stands once more.
let text = '';
child.stdout.setEncoding('utf8').on('data', (/** @type {string} */ chunk) => {
  watchdog.refresh();
  process.stdout.write(chunk);
  text += chunk;
});
child.on('close', (code) => {
  clearTimeout(watchdog);
  if (code !== 0) {
    const summary = stripVTControlCharacters(text)
      .split('\n')
      .filter((line) => /^ℹ (?:tests|suites|pass|fail|cancelled|skipped|todo|duration_ms) /.test(line));
    process.stdout.write(`\n${summary.slice(-8).join('\n')}\n`);
  }
  process.exitCode = code ?? 1;
});
