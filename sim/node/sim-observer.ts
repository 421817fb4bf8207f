import type { Observer } from '../../core/index.ts';
import type { Trace } from '../run/trace.ts';

/** What a mirror tells becomes part of what happens in its world. */
export function createSimObserver(trace: Trace, node: string): Observer {
  return {
    onPull: (event) => {
      trace.emit({ type: 'mirror-pull', node, event });
    },
    onNode: (event) => {
      trace.emit({ type: 'mirror-node', node, event });
    },
  };
}
