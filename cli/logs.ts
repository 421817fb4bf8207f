import { pino } from 'pino';
import type { DestinationStream, Logger } from 'pino';
import type { NodeEvent, Observer } from '../core/index.ts';
import { createPullSummaries } from './pull-summaries.ts';
import { createRepeatGuard } from './repeat-guard.ts';
import type { LogLevel } from './registry-options.ts';

export type { Logger } from 'pino';

/** JSON lines with the fields that Go's slog writes, and so Spegel: time, level, msg. */
export function createLogger(level: LogLevel, destination: DestinationStream): Logger {
  return pino(
    {
      level: level.toLowerCase(),
      base: null,
      timestamp: () => `,"time":"${new Date().toISOString()}"`,
      formatters: { level: (label) => ({ level: label.toUpperCase() }) },
    },
    destination,
  );
}

export interface LogOptions {
  /** One line for each pull's end. */
  readonly requestLog: boolean;
}

/** How long the same complaint is not repeated: a broken disk fails every request. */
const repeatAfterUs = 60_000_000;
/** Complaints and names remembered for it. */
const remembersMax = 1000;

/** Tells the operator what happens: what is wrong always, every pull if wanted. `nowUs` is any monotonic time. */
export function createLogObserver(
  logger: Logger,
  deps: { readonly nowUs: () => number },
  options: LogOptions,
): Observer {
  const mayRepeat = createRepeatGuard(deps.nowUs, repeatAfterUs, remembersMax);
  const isFirst = createRepeatGuard(deps.nowUs, Infinity, remembersMax);
  const summaries = createPullSummaries();
  const last: { ready: boolean | undefined } = { ready: undefined };
  return {
    onPull: (event) => {
      if (event.type === 'liar') {
        const { source, digest, pullId } = event;
        logger.error({ pullId, source, digest }, 'a source sent bytes that do not match the digest');
      }
      if (!options.requestLog) return;
      const summary = summaries.add(event);
      if (summary !== undefined) logger.info(summary, 'pull');
    },
    onNode: (event) => {
      if (event.type === 'ready') {
        if (event.ready === last.ready) return;
        last.ready = event.ready;
      }
      logNode(logger, event, mayRepeat, isFirst);
    },
  };
}

type Guard = ReturnType<typeof createRepeatGuard>;

function logNode(logger: Logger, event: NodeEvent, mayRepeat: Guard, isFirst: Guard): void {
  const { type, ...fields } = event;
  switch (event.type) {
    case 'ready':
      return logger.info(fields, event.ready ? 'ready' : 'not ready');
    case 'canary':
      return event.arrived ? logger.info(fields, 'canary arrived') : logger.warn(fields, 'canary did not arrive');
    case 'draining':
      return logger.info('stopping: other mirrors are sent elsewhere');
    case 'mode':
      if (event.mode === 'on') return logger.info(fields, 'this mirror is on');
      return logger.warn(
        fields,
        event.mode === 'off'
          ? 'this mirror is switched off: containerd and other mirrors are sent elsewhere'
          : 'this mirror serves other mirrors only: containerd is sent upstream',
      );
    case 'mode-failed':
      if (mayRepeat(`${type} ${event.reason}`))
        logger.error(fields, 'a mode file says nothing that is understood: what it said before holds');
      return;
    case 'content-wrong':
      return logger.error(
        fields,
        'own content does not match its digest: withdrawn; pull the image again, and look at the disk',
      );
    case 'store-connection':
      // A connection that failed is tried again for ever: once a minute is enough to say so.
      if (event.connected) logger.info(fields, 'the content store answers');
      else if (mayRepeat(`${type} ${event.reason}`)) logger.error(fields, 'the content store does not answer');
      return;
    case 'store-failed':
      if (mayRepeat(`${type} ${event.reason}`)) logger.error(fields, 'reading the content store failed');
      return;
    case 'unauthorized':
      if (mayRepeat(`${type} ${event.mirrored}`))
        logger.warn(fields, 'a request without the right user name and password was refused');
      return;
    case 'hosts-mended':
      return logger.warn(fields, 'hosts.toml was not as configured: written anew, with what others wrote kept');
    case 'hosts-failed':
      if (mayRepeat(`${type} ${event.reason}`)) logger.error(fields, 'hosts.toml is not as configured');
      return;
    case 'request-failed':
      if (mayRepeat(`${type} ${event.reason}`))
        logger.error(fields, 'a request failed by a fault of this program: please report it');
      return;
    case 'advertise-failed':
      if (mayRepeat(`${type} ${event.member} ${event.reason}`))
        logger.warn(fields, 'a member could not be told what this node has');
      return;
    case 'name-skipped':
      if (isFirst(event.name)) logger.warn(fields, 'a name in the content store is not served');
      return;
    case 'advertised':
    case 'withdrawn':
    case 'records':
    case 'members':
      return logger.debug(fields, type);
  }
}
