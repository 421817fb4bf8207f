import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import process from 'node:process';
import { test } from 'node:test';
import { withoutSymbols } from './elf.ts';

test(
  'symbols: Node without them is a fifth smaller and runs',
  { skip: process.platform !== 'linux' && 'ELF is Linux' },
  () => {
    const whole = readFileSync(process.execPath);
    const stripped = withoutSymbols(whole);
    assert.ok(stripped.byteLength < 0.85 * whole.byteLength, `${stripped.byteLength} of ${whole.byteLength} bytes`);
    const folder = mkdtempSync(join(tmpdir(), 'peili-elf-'));
    try {
      const program = join(folder, 'node');
      writeFileSync(program, stripped, { mode: 0o755 });
      const script = 'process.stdout.write(process.version)';
      assert.equal(execFileSync(program, ['-e', script], { encoding: 'utf8' }), process.version);
    } finally {
      rmSync(folder, { recursive: true });
    }
  },
);

test('symbols: what is no program of 64 bits is refused', () => {
  assert.throws(() => withoutSymbols(Buffer.alloc(64)), /not a program/);
});
