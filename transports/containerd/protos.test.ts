import { test } from 'node:test';
import assert from 'node:assert/strict';
import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import protobuf from 'protobufjs';

const folder = join(import.meta.dirname, 'protos');

test('protos: messages.json is what the .proto files say; tools/protos.ts writes it', () => {
  const root = new protobuf.Root();
  root.loadSync(globSync(join(folder, '*.proto')).sort());
  const written: unknown = JSON.parse(readFileSync(join(folder, 'messages.json'), 'utf8'));
  assert.deepEqual(written, root.toJSON({ keepComments: false }));
});
