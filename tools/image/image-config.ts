/**
 * What the program may do, said by Node's permission model to Node itself: it starts no process, loads no native code, and writes below two directories
 * alone. By the environment, and not as arguments of an entry point, so that `kubectl exec <pod> -- peili verify` has the same bounds; a pod whose
 * directories are others sets it anew, as the chart does. Reading is bounded by what the pod mounts: the image itself holds nothing that is secret.
 * `--allow-inspector` lets the watchdog say where the main thread stood.
 */
export const nodeOptions: readonly string[] = [
  '--permission',
  '--allow-net',
  '--allow-worker',
  '--allow-inspector',
  '--allow-fs-read=*',
  '--allow-fs-write=/etc/containerd/certs.d',
  '--allow-fs-write=/var/lib/peili',
  // What is allowed here is warned of at each start.
  '--disable-warning=PERM0004',
  '--disable-warning=PERM0006',
  '--disable-warning=ExperimentalWarning',
];

/** The part of an OCI image configuration that a Dockerfile says too. */
export const imageConfig = {
  User: '0:0',
  Env: ['PATH=/usr/bin', `NODE_OPTIONS=${nodeOptions.join(' ')}`],
  Entrypoint: ['/usr/bin/peili'],
  Cmd: ['--help'],
  WorkingDir: '/',
  ExposedPorts: { '5000/tcp': {}, '5001/tcp': {}, '9090/tcp': {} },
} as const;
