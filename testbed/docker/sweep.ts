import { docker, isAlive, ownerOf, removeFolder, sweepFolders } from './docker-cli.ts';

/** A testbed of containers by its name, and whether the process that made it still runs. */
export interface FoundTestbed {
  readonly name: string;
  readonly driver: 'docker' | 'kind';
  readonly pid: number;
  readonly isOwned: boolean;
}

/** The ones that are there: networks have their names. */
export async function listContainerTestbeds(): Promise<readonly FoundTestbed[]> {
  const names = (await docker(['network', 'ls', '--filter', 'name=^peili-', '--format', '{{.Name}}'])).split('\n');
  return names.flatMap((name): FoundTestbed[] => {
    const pid = ownerOf(name);
    return pid === undefined ? [] : [{ name, driver: 'docker', pid, isOwned: isAlive(pid) }];
  });
}

/** Removes a testbed of containers, whoever made it. */
export async function removeContainerTestbed(name: string): Promise<void> {
  const ids = (await docker(['ps', '--all', '--quiet', '--filter', `network=${name}`])).split('\n').filter(Boolean);
  if (ids.length > 0) await docker(['rm', '--force', '--volumes', ...ids]);
  await docker(['network', 'rm', name]);
  await removeFolder(name);
}

/** Removes what processes that have ended without a word left behind. */
export async function sweepContainers(): Promise<void> {
  await sweepFolders();
  for (const { name, isOwned } of await listContainerTestbeds()) {
    if (!isOwned) await removeContainerTestbed(name);
  }
}
