import { test } from 'node:test';
import assert from 'node:assert/strict';
import { contentStoreSuite } from '../../core/conformance/index.ts';
import { createSubject } from './testing/subject.ts';

contentStoreSuite({
  test,
  assert,
  pause: () => new Promise((resolve) => setTimeout(resolve, 2)),
  manifest: { name: 'containerd, rpc', supports: { truncation: true, 'media-types': true } },
  factory: () => createSubject('rpc'),
});
