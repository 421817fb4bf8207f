import process from 'node:process';
import { defaultLimits } from '../../core/index.ts';
import type { Limits, Observer } from '../../core/index.ts';
import type { RunningNode } from '../../transports/index.ts';
import type { Route } from '../page-server.ts';
import { createDebugView } from './debug-view.ts';
import type { DebugViewDeps } from './debug-view.ts';
import { measure } from './measure.ts';
import { createDebugRoutes, debugPath } from './routes.ts';
import type { MeasureCall } from './routes.ts';

/** The debug view of one node, from its events to its pages. */
export interface OpenedDebugView {
  readonly observer: Observer;
  /** By the beginning of their paths. */
  readonly routes: Readonly<Record<string, Route>>;
  /** From here on there is a node to look at. Returns how to let go of it. */
  attach(node: RunningNode): () => void;
}

export function openDebugView(
  deps: DebugViewDeps,
  { limits = defaultLimits, version }: { readonly limits?: Limits; readonly version: string },
): OpenedDebugView {
  const view = createDebugView(deps, { limits, version });
  const late: { measure: MeasureCall | undefined } = { measure: undefined };
  const { nowUs } = deps;
  return {
    observer: view.observer,
    routes: { [debugPath]: createDebugRoutes({ view, nowUs, limits, measure: () => late.measure }) },
    attach: (node) => {
      const parts = {
        mirror: node.mirror,
        nowMs: () => nowUs() / 1000,
        wallMs: () => Math.floor(deps.wallUs() / 1000),
      };
      late.measure = (options) => measure(parts, { ...options, limits, architecture: process.arch });
      return view.attach(node);
    },
  };
}
