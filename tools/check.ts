import { globSync } from 'node:fs';
import process from 'node:process';
import { runTogether } from './steps.ts';

const passed = await runTogether([
  { name: 'types', command: 'tsc', args: ['-p', 'tsconfig.json'] },
  { name: 'lint', command: 'oxlint', args: ['--deny-warnings'] },
  { name: 'formatting', command: 'prettier', args: ['--check', '--log-level', 'warn', '.'] },
  { name: 'dead code', command: 'knip', args: ['--no-progress'] },
  { name: 'rules', command: process.execPath, args: ['--test', ...globSync('e2e/rules/**/*.test.ts')] },
]);
if (!passed) process.exitCode = 1;
