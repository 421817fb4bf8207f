import { join } from 'node:path';
import { createLayoutWriter } from '../testbed/index.ts';
import type { LayoutWriter } from '../testbed/index.ts';
import type { Bench } from './bench.ts';
import { statusOf } from './client/connection.ts';
import { blobUrl, writeLargeBlobs, writeManifest } from './content.ts';
import type { Content } from './content.ts';
import { until } from './programs/program.ts';
import type { MirrorNode, MirrorProgram } from './programs/mirror.ts';

/** Three nodes, so that records have their three keepers: one has the content, one relays it, one stands by. */
export interface Trio {
  readonly name: string;
  readonly holder: MirrorNode;
  readonly relay: MirrorNode;
}

/** What the holders of all mirrors have: large blobs and their manifest. */
export async function writeTrioContent(
  bench: Bench,
  count: number,
  sizeBytes: number,
): Promise<{ layout: LayoutWriter; content: Content }> {
  const layout = await bench.layout('holder');
  const large = await writeLargeBlobs(layout, count, sizeBytes);
  return { layout, content: await writeManifest(layout, '1', large) };
}

export async function startTrio(
  bench: Bench,
  program: MirrorProgram,
  holderStore: string,
  digest: string,
): Promise<Trio> {
  const empty = async (name: string): Promise<string> =>
    (await createLayoutWriter(join(bench.directory, `${program.name}-${name}`))).directory;
  const holder = await bench.mirror(program, { store: holderStore, bootstrap: [] });
  const bootstrap = [holder.settings.router];
  const relay = await bench.mirror(program, { store: await empty('relay'), bootstrap });
  await bench.mirror(program, { store: await empty('bystander'), bootstrap });
  await untilFound(relay, digest);
  return { name: program.name, holder, relay };
}

/** The node gives content that another one has. */
export async function untilFound({ program, settings }: MirrorNode, digest: string): Promise<void> {
  const request = { method: 'HEAD', path: blobUrl(digest) } as const;
  await until(`${digest} is found`, async () => (await statusOf(settings.registry, request)) === 200, { program });
}
