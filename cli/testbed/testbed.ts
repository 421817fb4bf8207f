import process from 'node:process';
import { createTestbed, listTestbeds, removeTestbed } from '../../testbed/index.ts';
import type { FoundTestbed, PlacedImage, Testbed } from '../../testbed/index.ts';
import type { TestbedCommand } from './testbed-commands.ts';

interface TestbedDeps {
  /** Ends what stays. */
  readonly signal: AbortSignal;
  readonly writeOut: (text: string) => void;
}

const mebibyte = 1024 * 1024;
const demoImage = { name: 'team/app:1.0', layers: [{ sizeBytes: 64 * mebibyte }, { sizeBytes: 2 * mebibyte }] };
const endLimitMs = 60_000;

/** `peili testbed`: the exit code. */
export async function testbed(command: TestbedCommand, deps: TestbedDeps): Promise<number> {
  switch (command.type) {
    case 'up':
      return up(command, deps);
    case 'list':
      for (const found of await listTestbeds()) deps.writeOut(`${lineOf(found)}\n`);
      return 0;
    case 'down':
      return down(command.name, deps);
  }
}

function lineOf({ name, driver, pid, isOwned }: FoundTestbed): string {
  return [name, driver, isOwned ? `of process ${pid}` : 'left behind'].join('  ');
}

async function up(
  { driver, nodes, zones }: Extract<TestbedCommand, { type: 'up' }>,
  { signal, writeOut }: TestbedDeps,
): Promise<number> {
  const made = await createTestbed({ driver, nodes, zones, images: [demoImage] });
  try {
    const [image] = made.images;
    if (image !== undefined) {
      await made.node(0).pull(image.name);
      tellHowToUse(made, image, writeOut);
    }
    await aborted(signal);
  } finally {
    await made.dispose();
  }
  writeOut('Taken down.\n');
  return 0;
}

function tellHowToUse(
  { driver, nodes, kubernetes }: Testbed,
  image: PlacedImage,
  writeOut: (text: string) => void,
): void {
  const [first, last] = [nodes[0], nodes.at(-1)];
  const manifest = `${last?.registryUrl ?? ''}/v2/${image.repository}/manifests/${image.tag}?ns=${image.registry}`;
  const lines = [
    `${nodes.length} nodes (${driver}) run; Ctrl-C takes them down.`,
    '',
    ...nodes.map(
      ({ name, registryUrl, zone }) => `  ${name}  ${registryUrl}${zone === undefined ? '' : `  zone ${zone}`}`,
    ),
    '',
    `${first?.name ?? ''} holds ${image.name}. The others hold nothing and find it there:`,
    `  curl -i '${manifest}'`,
    ...(driver === 'docker' || driver === 'kind' ? pullLines(driver, last?.name ?? '', image) : []),
    ...(kubernetes === undefined
      ? []
      : [`  kubectl --kubeconfig ${kubernetes.kubeconfig} -n ${kubernetes.namespace} get pods`]),
  ];
  writeOut(`${lines.join('\n')}\n`);
}

function pullLines(driver: 'docker' | 'kind', node: string, { name }: PlacedImage): readonly string[] {
  const container = driver === 'kind' ? node : `peili-${process.pid}-*-${node}`;
  return [`  docker exec ${container} crictl pull ${name}`];
}

async function down(wanted: string | undefined, { writeOut }: TestbedDeps): Promise<number> {
  const all = await listTestbeds();
  const chosen =
    wanted === undefined ? all.filter(({ isOwned }) => !isOwned) : all.filter(({ name }) => name === wanted);
  if (wanted !== undefined && chosen.length === 0) {
    writeOut(`there is no testbed ${wanted}\n`);
    return 1;
  }
  for (const found of chosen) {
    // Its process takes it down; without one we do.
    if (found.isOwned) {
      process.kill(found.pid, 'SIGTERM');
      await untilGone(found.name);
    } else await removeTestbed(found);
    writeOut(`${found.name} is gone\n`);
  }
  return 0;
}

async function untilGone(name: string): Promise<void> {
  const endMs = performance.now() + endLimitMs;
  while ((await listTestbeds()).some((found) => found.name === name)) {
    if (performance.now() > endMs) throw new Error(`${name} was told to end and is still there`);
    await new Promise((resolve) => setTimeout(resolve, 500));
  }
}

function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    signal.addEventListener('abort', () => resolve(), { once: true });
  });
}
