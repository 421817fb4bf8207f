import { spawnSync } from 'node:child_process';

/** Programs that measure or are measured against, and how Debian brings each of them. */
const packages = {
  nginx: 'nginx-light',
  haproxy: 'haproxy',
  wrk: 'wrk',
  ip: 'iproute2',
  containerd: 'containerd',
} as const;
export type ToolName = keyof typeof packages;

const versionArgs: Readonly<Record<ToolName, readonly string[]>> = {
  nginx: ['-v'],
  haproxy: ['-v'],
  wrk: ['-v'],
  ip: ['-V'],
  containerd: ['-v'],
};

/** Its version, or undefined where it is not installed. */
export function versionOf(tool: ToolName): string | undefined {
  const { error, stderr, stdout } = spawnSync(tool, versionArgs[tool], {
    encoding: 'utf8',
    env: { ...process.env, PATH: `${process.env['PATH'] ?? ''}:/usr/sbin:/sbin` },
  });
  if (error !== undefined) return undefined;
  return /\d+\.\d+[\w.+-]*/.exec(`${stdout} ${stderr}`)?.[0] ?? 'unknown';
}

export function missingNote(tool: ToolName): string {
  return `${tool} is missing, and its figures with it: apt-get install -y ${packages[tool]}`;
}
