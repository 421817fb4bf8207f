import { closeSync, writeSync } from 'node:fs';
import process from 'node:process';
import { run } from 'node:test';
import { spec } from 'node:test/reporters';
import { Transform } from 'node:stream';
import type { TestEvent } from 'node:test/reporters';

/** What became of one file's laws; `tools/e2e.ts` reads it from descriptor 3. */
export interface FileTotals {
  readonly passed: number;
  readonly skipped: number;
  readonly failed: number;
}

/** The runner's own summary of one file: the summary of all is told at the end. */
const isSummary = (event: TestEvent): boolean =>
  event.type === 'test:diagnostic' &&
  event.data.nesting === 0 &&
  /^(?:tests|suites|pass|fail|cancelled|skipped|todo|duration_ms) /.test(event.data.message);

function runFile(file: string): void {
  const totals = { passed: 0, skipped: 0, failed: 0 };
  // What a failed law left open must not keep its file's process: in a capsule it ends with it.
  const execArgv = process.pid === 1 ? ['--test-force-exit'] : [];
  const filter = process.env['PEILI_FILTER'] ?? '';
  // Laws that share a testbed stand in one test, and look at the filter themselves.
  const isOneTest = (process.env['PEILI_DRIVER'] ?? '') !== '';
  const testNamePatterns = filter === '' || isOneTest ? [] : [new RegExp(filter)];
  const stream = run({ files: [file], concurrency: false, execArgv, testNamePatterns });
  // No laws: the one test that others stand in, and a file of which the filter leaves nothing, which tells of itself as of a test.
  const state = { noLaws: 0 };
  stream.on('test:pass', ({ name, nesting }) => {
    if (nesting === 0 && (isOneTest || (filter !== '' && name === file))) state.noLaws += 1;
  });
  stream.on('test:summary', ({ file: of, counts, success }) => {
    if (of !== undefined) return;
    totals.passed = counts.passed - state.noLaws;
    totals.skipped = counts.skipped;
    totals.failed = success ? 0 : Math.max(1, counts.tests - counts.passed - counts.skipped - counts.todo);
  });
  stream.on('end', () => {
    writeSync(3, JSON.stringify(totals satisfies FileTotals));
    closeSync(3);
  });
  const withoutSummary = new Transform({
    objectMode: true,
    transform: (event: TestEvent, _encoding, done) => {
      if (isSummary(event)) done();
      else done(null, event);
    },
  });
  stream.pipe(withoutSummary).compose(spec).pipe(process.stdout);
}

// As the first process of a capsule it hears no signal without a handler; and it ends with whoever holds its input.
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(1));
process.stdin.resume().once('end', () => process.exit(1));
process.stdin.unref();
const [, , file] = process.argv;
if (file === undefined) throw new TypeError('give a file');
runFile(file);
