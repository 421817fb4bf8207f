import { existsSync, globSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import process from 'node:process';
import { run } from 'node:test';
import { spec } from 'node:test/reporters';

/** Real programs that the laws run against, and the Debian package that brings each. */
const parts: readonly (readonly [program: string, debianPackage: string])[] = [
  ['docker-registry', 'docker-registry'],
  ['nginx', 'nginx-light'],
  ['haproxy', 'haproxy'],
  ['curl', 'curl'],
  ['skopeo', 'skopeo'],
];

/** In CI a part that is missing, and a law that did not run, is a failure: a green run means that everything ran. */
const everythingMustRun = Boolean(process.env['CI']) || process.argv.includes('--all');

const folders = [...(process.env['PATH'] ?? '').split(delimiter), '/usr/sbin', '/sbin'];
const missing = parts.filter(([program]) => !folders.some((folder) => existsSync(join(folder, program))));
// For CI, which installs them.
if (process.argv.includes('--missing-packages')) {
  console.log(missing.map(([, debianPackage]) => debianPackage).join('\n'));
  process.exit(0);
}
for (const [program, debianPackage] of missing) {
  console.log(`missing: ${program} (apt-get install ${debianPackage}); laws that need it are skipped`);
}
if (missing.length > 0 && everythingMustRun) {
  console.error('every real part must be there in CI');
  process.exit(1);
}

const files = globSync('e2e/**/*.test.ts', { exclude: ['e2e/rules/**'] }).sort();
if (files.length === 0) {
  console.error('there is no law on real parts under e2e/: nothing was proven');
  process.exit(1);
}

// Ports, processes and the disk are shared: one file after the other.
const stream = run({ files, concurrency: false });
const totals = { failed: 0, skipped: 0 };
stream.on('test:summary', ({ file, counts, success }) => {
  if (file !== undefined) return;
  totals.failed = success ? 0 : Math.max(1, counts.tests - counts.passed - counts.skipped - counts.todo);
  totals.skipped = counts.skipped;
});
stream.on('end', () => {
  if (totals.failed > 0) process.exitCode = 1;
  if (totals.skipped > 0 && everythingMustRun) {
    console.error(`${totals.skipped} laws were skipped, and in CI everything must run`);
    process.exitCode = 1;
  }
});
stream.compose(spec).pipe(process.stdout);
