import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdirSync, readdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import process from 'node:process';

/** What would be published, in one folder; nothing is sent anywhere. `npm run build` has been run. */
const out = 'dist/release';
const { version } = JSON.parse(readFileSync('package.json', 'utf8')) as { readonly version: string };

function run(command: string, args: readonly string[]): string {
  return execFileSync(command, args, {
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'inherit'],
    maxBuffer: 256 * 1024 ** 2,
  });
}

/** Both archives and the layout, as one file that skopeo, oras and crane read. */
function makeImage(): void {
  process.stdout.write(run(process.execPath, ['tools/image.ts', '--out', 'dist/image']));
  for (const name of readdirSync('dist/image').filter((each) => each.endsWith('.tar'))) {
    renameSync(join('dist/image', name), join(out, name.replace('peili-', `peili-${version}-linux-`)));
  }
  const sorted = ['--sort=name', '--owner=0', '--group=0', '--numeric-owner', '--mtime=@0'];
  run('tar', [...sorted, '-cf', join(out, `peili-${version}-oci.tar`), '-C', 'dist/image/layout', '.']);
}

rmSync(out, { recursive: true, force: true });
mkdirSync(out, { recursive: true });
run('npm', ['pack', '--silent', '--ignore-scripts', '--pack-destination', out]);
// Helm would give the chart's archive the same name.
renameSync(join(out, `peili-${version}.tgz`), join(out, `peili-${version}-npm.tgz`));
run('helm', ['package', 'deploy/chart', '--destination', out]);
renameSync(join(out, `peili-${version}.tgz`), join(out, `peili-${version}-chart.tgz`));
makeImage();
writeFileSync(
  join(out, 'sbom.cdx.json'),
  run('npm', ['sbom', '--package-lock-only', '--sbom-format', 'cyclonedx', '--omit', 'dev']),
);
const names = readdirSync(out).toSorted();
const lines = names.map(
  (name) =>
    `${createHash('sha256')
      .update(readFileSync(join(out, name)))
      .digest('hex')}  ${name}\n`,
);
writeFileSync(join(out, 'SHA256SUMS'), lines.join(''));
for (const name of names)
  console.log(`${(statSync(join(out, name)).size / 1024 ** 2).toFixed(1).padStart(6)} MiB  ${join(out, name)}`);
