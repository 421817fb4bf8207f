import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { canConnect } from '../client/connection.ts';
import { freePort, startProgram, until } from './program.ts';
import type { Program } from './program.ts';

export interface Baseline {
  readonly port: number;
  readonly program: Program;
}

/** nginx, one process, that serves the files of a directory with sendfile. */
export async function startNginx(root: string, scratch: string): Promise<Baseline> {
  const port = await freePort();
  const folder = join(scratch, 'nginx');
  mkdirSync(folder, { recursive: true });
  const temporary = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map(
    (name) => `${name}_temp_path ${join(folder, name)};`,
  );
  const config = `
    daemon off; master_process off; worker_processes 1; pid ${join(folder, 'pid')}; error_log stderr crit;
    ${process.getuid?.() === 0 ? 'user root;' : ''}
    events { worker_connections 1024; }
    http {
      access_log off; sendfile on; tcp_nopush on; keepalive_requests 1000000; ${temporary.join(' ')}
      default_type application/octet-stream; open_file_cache max=100;
      server { listen 127.0.0.1:${port}; root ${root}; }
    }`;
  const file = join(folder, 'nginx.conf');
  writeFileSync(file, config);
  return ready(
    'nginx',
    port,
    startProgram({ command: 'nginx', args: ['-p', folder, '-e', 'stderr', '-c', file], env: withSbin() }),
  );
}

/** haproxy, one thread, in front of one HTTP server. */
export async function startHaproxy(
  backendPort: number,
  scratch: string,
  { splice }: { splice: boolean },
): Promise<Baseline> {
  const port = await freePort();
  const file = join(scratch, `haproxy-${splice ? 'splice' : 'plain'}.cfg`);
  const config = [
    'global',
    '  nbthread 1',
    'defaults',
    '  mode http',
    '  timeout connect 5s',
    '  timeout client 60s',
    '  timeout server 60s',
    ...(splice ? ['  option splice-response'] : []),
    'frontend front',
    `  bind 127.0.0.1:${port}`,
    '  default_backend back',
    'backend back',
    `  server one 127.0.0.1:${backendPort}`,
    '',
  ];
  writeFileSync(file, config.join('\n'));
  return ready('haproxy', port, startProgram({ command: 'haproxy', args: ['-db', '-f', file], env: withSbin() }));
}

async function ready(name: string, port: number, program: Program): Promise<Baseline> {
  await until(`${name} listens`, () => canConnect({ host: '127.0.0.1', port }), { program });
  return { port, program };
}

/** Debian keeps servers where a user's PATH does not look. */
function withSbin(): Record<string, string> {
  return { PATH: `${process.env['PATH'] ?? ''}:/usr/sbin:/sbin` };
}
