import type { CanaryOutcome } from '../ports/index.ts';

/** How a pull of the canary ended. */
export type CanaryPull =
  | { readonly type: 'pulled' }
  | { readonly type: 'failed'; readonly reason: string }
  | { readonly type: 'timeout' }
  /** The pull was never begun: nobody answers at containerd's socket. */
  | { readonly type: 'unreachable'; readonly reason: string };

export interface CanaryVerdict {
  readonly outcome: CanaryOutcome;
  /** What it means, and what to look at when it is not well. */
  readonly reason: string;
  /** What containerd said of it, where it failed. */
  readonly cause?: string;
}

/** What a pull says about this node's containerd. Being asked counts, whatever became of the pull: that is what is to be proven. */
export function judgeCanary(pull: CanaryPull, timesAsked: number): CanaryVerdict {
  const cause = 'reason' in pull ? { cause: pull.reason } : {};
  if (timesAsked > 0) return { outcome: 'arrived', reason: arrivedReason(pull), ...cause };
  switch (pull.type) {
    case 'pulled':
      return {
        outcome: 'elsewhere',
        reason:
          'containerd pulled it from another mirror: hosts.toml names one before this mirror, or a service in its place',
      };
    case 'failed':
      return {
        outcome: 'not-asked',
        reason:
          'containerd does not use this mirror: see whether config_path in its config.toml is the directory of hosts.toml, and run peili verify on this node',
        ...cause,
      };
    case 'timeout':
      return {
        outcome: 'timeout',
        reason:
          'the pull did not end in time and this mirror was not asked: look at the load of containerd, and run peili verify on this node',
      };
    case 'unreachable':
      return {
        outcome: 'unreachable',
        reason:
          'containerd cannot be asked to pull: see whether it runs and whether its socket is where it was said to be',
        ...cause,
      };
  }
}

function arrivedReason(pull: CanaryPull): string {
  switch (pull.type) {
    case 'pulled':
      return 'containerd asked this mirror and has the image';
    case 'failed':
    case 'unreachable':
      return 'containerd asked this mirror, but the pull failed';
    case 'timeout':
      return 'containerd asked this mirror, but the pull did not end in time';
  }
}
