import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import { createHostsFiles } from './hosts-files.ts';
import { setUpHosts } from './testing/hosts-setup.ts';

test('files: a change that is refused leaves nothing behind, however often it is tried', async () => {
  using hosts = setUpHosts();
  const files = createHostsFiles({ root: hosts.root });
  const path = join(hosts.root, 'docker.io/hosts.toml');
  // Nothing can be renamed over a directory that is not empty.
  hosts.write('docker.io/hosts.toml/held', '');
  hosts.write('ghcr.io/hosts.toml', 'theirs');
  const before = hosts.files();
  for (let times = 0; times < 3; times += 1) {
    await assert.rejects(files.write(path, 'ours', 0o644), { code: 'HOSTS_UNWRITABLE' });
    await assert.rejects(files.keep(join(hosts.root, 'ghcr.io/hosts.toml'), path, 'theirs'), {
      code: 'HOSTS_UNWRITABLE',
    });
  }
  assert.deepEqual(hosts.files(), before);
});
