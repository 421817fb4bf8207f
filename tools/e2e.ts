import { spawn } from 'node:child_process';
import type { ChildProcess, StdioOptions } from 'node:child_process';
import { once } from 'node:events';
import { globSync } from 'node:fs';
import process from 'node:process';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { nodesObstacle, spawnInCapsule } from './capsule.ts';
import type { FileTotals } from './e2e-file.ts';
import { missingParts, pathWithParts } from './real-parts.ts';

/** In CI a part that is missing, and a law that did not run, is a failure: a green run means that everything ran. */
const everythingMustRun = Boolean(process.env['CI']) || process.argv.includes('--all');
/** Laws that make interfaces and mounts: a capsule for each file. */
const capsuleFolders: readonly string[] = ['e2e/containerd/'];
/** They need what nodes are made of; laws about capsules open their own. */
const nodeFolders: readonly string[] = [...capsuleFolders, 'e2e/testbed/'];
/** One that takes longer hangs. */
const fileLimitMs = 10 * 60_000;

interface FileResult extends FileTotals {
  readonly file: string;
  readonly tookMs: number;
}

const missing = missingParts();
// For CI, which installs them.
if (process.argv.includes('--missing-packages')) {
  const packages = missing.flatMap(({ debianPackage }) => debianPackage ?? []);
  console.log([...new Set(packages)].join('\n'));
  process.exit(0);
}
for (const { program, advice } of missing)
  console.log(`missing: ${program} (${advice}); laws that need it are skipped`);
const obstacle = nodesObstacle();
if (obstacle !== undefined) console.log(`no nodes in network namespaces: ${obstacle}`);
if ((missing.length > 0 || obstacle !== undefined) && everythingMustRun) {
  console.error('every real part must be there in CI');
  process.exit(1);
}

const wanted = process.argv.slice(2).filter((argument) => !argument.startsWith('-'));
const files = (wanted.length > 0 ? wanted : globSync('e2e/**/*.test.ts', { exclude: ['e2e/rules/**'] })).sort();
if (files.length === 0) {
  console.error('there is no law on real parts under e2e/: nothing was proven');
  process.exit(1);
}

// Ports, processes and the disk are shared: one file after the other.
const results: FileResult[] = [];
for (const file of files) results.push(await runOne(file));
tell(results);

async function runOne(file: string): Promise<FileResult> {
  const isIn = (folders: readonly string[]): boolean => folders.some((folder) => file.startsWith(folder));
  const needsCapsule = isIn(capsuleFolders);
  if (isIn(nodeFolders) && obstacle !== undefined) {
    console.log(`﹣ ${file}: ${obstacle}`);
    return { file, tookMs: 0, passed: 0, skipped: 1, failed: 0 };
  }
  console.log(`\n${file}`);
  const startMs = performance.now();
  const command = [process.execPath, fileURLToPath(new URL('e2e-file.ts', import.meta.url)), file];
  // Its input is held open: with it, the file's process ends. It tells its totals on descriptor 3.
  const child = start(command, needsCapsule, ['pipe', 'inherit', 'inherit', 'pipe']);
  const limit = setTimeout(() => {
    console.error(
      `${file} did not end within ${fileLimitMs / 60_000} min and was ended: it left something open, or hangs`,
    );
    child.kill('SIGKILL');
  }, fileLimitMs);
  const [totals] = await Promise.all([totalsFrom(child), once(child, 'close')]);
  clearTimeout(limit);
  return { file, tookMs: performance.now() - startMs, ...totals };
}

function start([program = '', ...args]: readonly string[], needsCapsule: boolean, stdio: StdioOptions): ChildProcess {
  if (needsCapsule) return spawnInCapsule([program, ...args], stdio);
  return spawn(program, args, { stdio, env: { ...process.env, PATH: pathWithParts() } });
}

async function totalsFrom(child: ChildProcess): Promise<FileTotals> {
  const [, , , channel] = child.stdio;
  const told = channel instanceof Object && 'read' in channel ? await text(channel) : '';
  // A file whose process died told nothing.
  return told === '' ? { passed: 0, skipped: 0, failed: 1 } : (JSON.parse(told) as FileTotals);
}

function tell(all: readonly FileResult[]): void {
  const sum = (of: keyof FileTotals | 'tookMs'): number => all.reduce((total, result) => total + result[of], 0);
  const width = Math.max(...all.map(({ file }) => file.length));
  console.log();
  for (const { file, tookMs, passed, skipped, failed } of all) {
    const rest = [skipped > 0 ? `, ${skipped} skipped` : '', failed > 0 ? `, ${failed} FAILED` : ''].join('');
    console.log(`${file.padEnd(width)} ${(tookMs / 1000).toFixed(1).padStart(7)} s  ${passed} passed${rest}`);
  }
  console.log(
    `${all.length} files in ${Math.round(sum('tookMs') / 1000)} s: ${sum('passed')} laws passed, ${sum('skipped')} skipped, ${sum('failed')} failed`,
  );
  if (sum('failed') > 0) process.exitCode = 1;
  if (sum('skipped') > 0 && everythingMustRun) {
    console.error(`${sum('skipped')} laws were skipped, and in CI everything must run`);
    process.exitCode = 1;
  }
}
