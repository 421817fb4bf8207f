import { existsSync } from 'node:fs';
import { mkdir, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import process from 'node:process';
import { parseArgs } from 'node:util';
import { renewLock } from './image/debian-packages.ts';
import { addImage, addIndex, archiveOf, blobsOf, layoutFiles, writeFiles } from './image/layout.ts';
import type { Blobs, ImageNaming, PlatformImage } from './image/layout.ts';
import { architectures } from './image/platforms.ts';
import type { Architecture } from './image/platforms.ts';
import { programEntries, runtimeEntries } from './image/root.ts';
import type { Entry } from './image/tar.ts';

const help = `node tools/image.ts: the container image, without a registry, from what npm and Debian provide

  --out <folder>     where to: layout/ is an OCI image layout of all platforms, peili-<architecture>.tar is for
                     docker load, ctr images import and kind load image-archive (default: dist/image)
  --arch <name>      amd64 or arm64, again for the other; both without it
  --root <folder>    no image: the files that it would hold, for this machine's architecture (the Dockerfile's way)
  --renew            write the versions of Debian's packages of today into deploy/image/packages.json
`;

interface Package {
  readonly version: string;
  readonly description: string;
  readonly license: string;
}

async function namingOf(): Promise<ImageNaming> {
  const { version, description, license } = JSON.parse(await readFile('package.json', 'utf8')) as Package;
  const chart = await readFile('deploy/chart/values.yaml', 'utf8');
  const repository = /^ {2}repository: (\S+)$/m.exec(chart)?.[1];
  if (repository === undefined) throw new Error('deploy/chart/values.yaml has no image.repository');
  const seconds = Number(process.env['SOURCE_DATE_EPOCH'] ?? 0);
  return { repository, version, description, licenses: license, seconds };
}

async function writeImage(out: string, wanted: readonly Architecture[]): Promise<void> {
  const naming = await namingOf();
  const blobs: Blobs = new Map();
  const program = await programEntries();
  const images: PlatformImage[] = [];
  for (const architecture of wanted) {
    const layers = [
      { name: 'Node and what it needs', entries: await runtimeEntries(architecture) },
      { name: 'peili', entries: program },
    ];
    images.push(addImage(blobs, architecture, layers, naming));
  }
  await rm(out, { recursive: true, force: true });
  await mkdir(out, { recursive: true });
  for (const image of images) {
    const files = layoutFiles(blobsOf(blobs, image), image.manifest, naming, image);
    await writeFile(join(out, `peili-${image.architecture}.tar`), archiveOf(files, naming.seconds));
    tell(image);
  }
  const index = addIndex(blobs, images, naming);
  await writeFiles(join(out, 'layout'), layoutFiles(blobs, index, naming));
  console.log(`${naming.repository}:${naming.version} ${index.digest}, in ${out}`);
}

function tell({ architecture, layers, manifest, unpackedBytes }: PlatformImage): void {
  const sizes = layers.map(({ size }) => (size / 1024 ** 2).toFixed(1));
  const unpacked = (unpackedBytes / 1024 ** 2).toFixed(0);
  console.log(
    `linux/${architecture} ${manifest.digest}: layers of ${sizes.join(' and ')} MiB, ${unpacked} MiB unpacked`,
  );
}

/** This machine's root, as files. */
async function writeRoot(folder: string): Promise<void> {
  const architecture = process.arch === 'arm64' ? 'arm64' : 'amd64';
  const layers = [await runtimeEntries(architecture), await programEntries()];
  for (const entry of layers.flat()) await place(folder, entry);
}

async function place(folder: string, entry: Entry): Promise<void> {
  const path = join(folder, entry.path);
  await mkdir(entry.type === 'directory' ? path : dirname(path), { recursive: true });
  if (entry.type === 'file') await writeFile(path, entry.bytes, { mode: entry.mode ?? 0o644 });
  if (entry.type === 'link') await symlink(entry.to, path);
}

const { values } = parseArgs({
  options: {
    out: { type: 'string', default: 'dist/image' },
    arch: { type: 'string', multiple: true },
    root: { type: 'string' },
    renew: { type: 'boolean', default: false },
    help: { type: 'boolean', default: false },
  },
});
const wanted = architectures.filter((each) => values.arch?.includes(each) ?? true);
if (values.help) console.log(help);
else if (values.renew) await renewLock();
else if (!existsSync('dist/peili.mjs')) throw new Error('dist/peili.mjs is missing: npm run build');
else if (values.root !== undefined) await writeRoot(values.root);
else await writeImage(values.out, wanted);
