import { ok, skipped, unknown, wrong } from './check.ts';
import type { Judged, Reading } from './check.ts';
import type { Expectations, Facts, ImageObject, ObjectSource } from './facts.ts';
import { formatBytes, formatDuration } from '../terminal.ts';

const noMirror = 'the mirror does not answer';

/** Does this node's mirror answer? */
export function judgeMirror(mirror: Reading<number>, { registryUrl }: Pick<Expectations, 'registryUrl'>): Judged {
  if (mirror.type === 'failed') {
    return wrong(
      `no mirror answers at ${registryUrl} (${mirror.reason})`,
      'see whether it runs and what its log says last; name where it listens with --registry-addr',
    );
  }
  if (mirror.value === 200) return ok(`the mirror answers at ${registryUrl}`);
  if (mirror.value === 401) {
    return wrong(
      `the mirror at ${registryUrl} wants another user name or password`,
      'give verify the directory of the secret that the mirror has, with --basic-auth-path',
    );
  }
  return wrong(
    `what answers at ${registryUrl} is no mirror: /v2/ is ${mirror.value}`,
    'see what else listens there; name where the mirror listens with --registry-addr',
  );
}

export function judgeReady({ mirror, members, ready }: Pick<Facts, 'mirror' | 'members' | 'ready'>): Judged {
  if (mirror.type === 'failed') return skipped(noMirror);
  if (ready.type === 'failed') return unknown(`/readyz could not be asked (${ready.reason})`, 'ask again in a moment');
  const { status, reason } = ready.value;
  const mode = members.type === 'failed' ? 'on' : members.value.mode;
  // Meant by who runs it, and so not wrong; but it is why nothing comes from peers.
  if (mode === 'off') return skipped('switched off: containerd and other mirrors are sent elsewhere (--mode-path)');
  if (mode === 'serve-only') return skipped('serves other mirrors only: containerd is sent upstream (--mode-path)');
  if (status === 200) return ok(`ready: ${reason}`);
  return wrong(
    `not ready: ${reason}`,
    'give it a minute after its start; then see whether bootstrap finds others and the store can be read',
  );
}

export function judgeMembers(
  { mirror, members }: Pick<Facts, 'mirror' | 'members'>,
  { membersMin, metricsUrl }: Pick<Expectations, 'membersMin' | 'metricsUrl'>,
): Judged {
  if (members.type === 'failed') {
    return mirror.type === 'failed'
      ? skipped(noMirror)
      : unknown(
          `${metricsUrl}/metrics does not say (${members.reason})`,
          'name where metrics are served with --metrics-addr',
        );
  }
  const { total, connected } = members.value;
  const seen = `${total} other ${total === 1 ? 'member' : 'members'} met, ${connected} connected`;
  if (total >= membersMin) return ok(seen);
  return wrong(
    `${seen}, and there ought to be ${membersMin} at least`,
    "see --bootstrap-kind and what it needs, and whether the router's port is open between nodes; for a node that is alone: --members-min 0",
  );
}

/** The one proof that this containerd uses this mirror. */
export function judgeCanaryFact({
  canary,
  containerd,
  mirror,
}: Pick<Facts, 'canary' | 'containerd' | 'mirror'>): Judged {
  if (canary === undefined) {
    if (containerd.type === 'failed') return skipped('containerd does not answer');
    return skipped(mirror.type === 'failed' ? noMirror : 'nobody asked for it (--canary false)');
  }
  const { cause, outcome, reason, tookMs } = canary;
  const why = cause === undefined ? '' : `: ${cause}`;
  const took = formatDuration(tookMs);
  switch (outcome) {
    case 'arrived':
      return ok(`${reason}${why} (${took})`);
    case 'elsewhere':
      return wrong(
        'containerd pulled the canary from another mirror, not from this one',
        'put this mirror first in hosts.toml (peili configuration, --mirror-targets), and see whether containerd can reach it there',
      );
    case 'not-asked':
      return wrong(
        `containerd did not ask any mirror for the canary${why}`,
        'mend what is wrong above; if nothing is, see whether containerd can reach the URLs in hosts.toml, and its own log',
      );
    case 'timeout':
      return wrong(`the canary was not pulled within ${took}`, 'see the load of containerd, and its log');
    case 'unreachable':
      return unknown(`containerd could not be told to pull the canary${why}`, 'see whether containerd runs');
  }
}

export function judgeImage({ image, mirror }: Pick<Facts, 'image' | 'mirror'>): Judged {
  if (image === undefined) return skipped('no image was named (--image <reference>)');
  if (mirror.type === 'failed') return skipped(noMirror);
  if (image.type === 'failed')
    return wrong(image.reason, 'name an image as its pods do, docker.io/library/busybox:1.37');
  const { objects, reference } = image.value;
  const lines = objects.map(describe);
  const failed = objects.find(({ failure }) => failure !== undefined);
  if (failed === undefined) {
    const bytes = objects.reduce((sum, object) => sum + object.bytes, 0);
    const tookMs = objects.reduce((sum, object) => sum + object.tookMs, 0);
    return {
      ...ok(`${reference}: ${formatBytes(bytes)} in ${formatDuration(tookMs)} through this mirror`, lines),
      objects,
    };
  }
  return {
    ...wrong(`${reference} does not come through this mirror: ${failed.failure ?? ''}`, mendImage(failed), lines),
    objects,
  };
}

function mendImage({ failure, kind, status }: ImageObject): string {
  if (kind === 'index' && status === 200) return 'name an image that is made for this machine';
  if (failure === 'FILTERED')
    return 'a filter of the mirror keeps it out; see --registry-filters, --mirrored-registries and --blobs-only-registries';
  if (status === 404)
    return 'nobody has it, so containerd asks the upstream: pull it on some node first, and wait until it is advertised';
  return "see the mirror's log for this pull (--request-log)";
}

function describe({ kind, digest, bytes, tookMs, sources, failure }: ImageObject): string {
  const from =
    failure ?? `from ${sources === undefined ? 'a source that the mirror does not name' : sourcesText(sources)}`;
  return [
    kind.padEnd(8),
    digest.slice(0, 19),
    formatBytes(bytes).padStart(10),
    formatDuration(tookMs).padStart(8),
    ' ',
    from,
  ].join(' ');
}

function sourcesText(sources: readonly ObjectSource[]): string {
  const name = ({ address, source }: ObjectSource): string =>
    source === 'local' ? 'this node' : address === undefined ? source : `${address} (${source})`;
  if (sources.length === 1) return sources.map(name).join('');
  return sources.map((source) => `${formatBytes(source.bytes)} of ${name(source)}`).join(', ');
}
