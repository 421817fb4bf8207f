import { execFileSync } from 'node:child_process';
import { chmodSync, existsSync, globSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import process from 'node:process';
import { rolldown } from 'rolldown';
import { runTogether } from './steps.ts';

const program = 'dist/peili.mjs';
const shebang = '#!/usr/bin/env node\n';

/** The library, file by file, with its types. */
function compileLibrary(): void {
  rmSync('dist', { recursive: true, force: true });
  execFileSync('tsc', ['-p', 'tsconfig.build.json'], { stdio: 'inherit' });
}

/**
 * The program in a few files: it starts in half the time that its modules take one by one. Not in a single one, since all text that is
 * loaded stays in memory: a node without the other commands' parts takes 7 MiB less.
 */
async function bundleProgram(): Promise<void> {
  if (!existsSync('cli/main.ts')) throw new Error('cli/main.ts is missing: there is no program to bundle');
  const bundle = await rolldown({
    input: 'cli/main.ts',
    platform: 'node',
    // Optional peers: only who runs testbeds has them.
    external: ['testcontainers', 'fast-check'],
    onLog(level, log, handle) {
      // Warnings about packages are not ours to mend; about our own sources they are errors.
      if (log.id === undefined || !log.id.includes('node_modules')) handle(level === 'warn' ? 'error' : level, log);
    },
  });
  // Less text is less memory for as long as the program runs (about 4 MiB); names stay, so that a trace can be read.
  const minify = { mangle: false, compress: true, codegen: true };
  await bundle.write({
    dir: 'dist',
    entryFileNames: 'peili.mjs',
    chunkFileNames: 'program/[name].mjs',
    format: 'esm',
    comments: { legal: true },
    minify,
  });
  await bundle.close();
  for (const file of [program, ...globSync('dist/program/*.mjs')]) {
    writeFileSync(file, asciiOf(readFileSync(file, 'utf8')));
  }
  const text = readFileSync(program, 'utf8');
  if (!text.startsWith('#!')) writeFileSync(program, shebang + text);
  chmodSync(program, 0o755);
}

/** One other character, in a table of emoji, and V8 keeps the whole text with two bytes for each: 3 MiB for as long as the program runs. */
function asciiOf(text: string): string {
  return text.replaceAll(/[\u0080-\uffff]/g, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`);
}

interface PackReport {
  readonly filename: string;
  readonly size: number;
  readonly files: readonly { readonly path: string }[];
}

/** Packs what would be published and asks what consumers of every module system would see. */
async function checkPackage(): Promise<boolean> {
  const folder = mkdtempSync(join(tmpdir(), 'peili-pack-'));
  try {
    const args = ['pack', '--json', '--ignore-scripts', '--pack-destination', folder];
    const [report] = JSON.parse(execFileSync('npm', args, { encoding: 'utf8' })) as readonly PackReport[];
    if (report === undefined) throw new Error('npm pack reported nothing');
    const stray = report.files.map(({ path }) => path).filter((path) => !isPublished(path));
    console.log(`${report.filename}: ${report.files.length} files, ${(report.size / 1024 ** 2).toFixed(1)} MiB packed`);
    for (const path of stray) console.error(`published by mistake: ${path}`);
    const tarball = join(folder, report.filename);
    const passed = await runTogether([
      { name: 'package', command: 'publint', args: ['--strict', tarball] },
      { name: 'types as installed', command: 'attw', args: ['--profile', 'esm-only', tarball] },
      { name: 'program', command: process.execPath, args: [program, '--version'] },
    ]);
    return passed && stray.length === 0;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function isPublished(path: string): boolean {
  if (['package.json', 'README.md', 'LICENSE'].includes(path)) return true;
  return path.startsWith('dist/') && !/\.test\.|(?:^|\/)testing\//.test(path);
}

compileLibrary();
await bundleProgram();
if (!process.argv.includes('--no-checks') && !(await checkPackage())) process.exitCode = 1;
