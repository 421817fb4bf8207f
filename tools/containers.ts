import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import process from 'node:process';

const limitMs = 20_000;
/** What is installed on the cluster. */
const installed: readonly string[] = [
  'deploy/chart/Chart.yaml',
  `dist/image/peili-${process.arch === 'arm64' ? 'arm64' : 'amd64'}.tar`,
];

/** Why there can be no nodes as containers here; undefined: there can. */
export function dockerObstacle(): string | undefined {
  if (process.platform !== 'linux')
    return 'the upstream of containers listens on this machine, which has to be the one that Docker runs on';
  return problemOf('docker', ['info']);
}

/** Why there can be no cluster of kind here; undefined: there can. */
export function kindObstacle(): string | undefined {
  const problem =
    dockerObstacle() ??
    problemOf('kind', ['version']) ??
    problemOf('kubectl', ['version', '--client']) ??
    problemOf('helm', ['version']);
  if (problem !== undefined) return problem;
  const missing = installed.filter((path) => !existsSync(path));
  return missing.length === 0 ? undefined : `missing: ${missing.join(', ')} (npm run build, npm run image)`;
}

function problemOf(program: string, args: readonly string[]): string | undefined {
  const { error, status, stderr } = spawnSync(program, args, { encoding: 'utf8', timeout: limitMs });
  if (error !== undefined) return `${program}: ${error.message}`;
  return status === 0 ? undefined : `${program} ${args.join(' ')}: ${stderr.trim().split('\n').at(-1) ?? ''}`;
}
