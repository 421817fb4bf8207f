#!/usr/bin/env node
import process from 'node:process';
import packageJson from '../package.json' with { type: 'json' };
import { runProgram } from './program.ts';
import { createTerminal } from './terminal.ts';

const { version } = packageJson;

/** Aborts when whoever read the output is gone, as after `| head`: what is left to do is to tidy up. */
const outputGone = watchOutput();

function watchOutput(): AbortSignal {
  const gone = new AbortController();
  for (const stream of [process.stdout, process.stderr]) {
    stream.on('error', () => {
      gone.abort();
    });
  }
  return gone.signal;
}

/** The first signal ends the program gracefully, a second one at once. */
function stopSignal(): AbortSignal {
  const stop = new AbortController();
  const onSignal = (): void => {
    if (stop.signal.aborted) process.exit(130);
    stop.abort();
  };
  process.on('SIGINT', onSignal);
  process.on('SIGTERM', onSignal);
  outputGone.addEventListener('abort', () => {
    stop.abort();
  });
  return stop.signal;
}

/** Log lines are for people and collectors, apart from what a command prints. */
const log = { write: (line: string) => void process.stderr.write(line) };

const writeOut = (text: string): void => void process.stdout.write(text);

// Commands are loaded when they are run: a node does not carry the demo's parts.
process.exitCode = await runProgram(
  process.argv.slice(2),
  {
    env: process.env,
    version,
    writeOut,
    writeErr: (text) => void process.stderr.write(text),
  },
  {
    registry: async (options) => {
      const { registry } = await import('./registry.ts');
      return registry(options, { signal: stopSignal(), log, version });
    },
    configuration: async (options) => (await import('./configuration.ts')).configuration(options, { log }),
    cleanup: async (options) => (await import('./cleanup.ts')).cleanup(options, { signal: stopSignal(), log }),
    cleanupWait: async (options) =>
      (await import('./cleanup-wait.ts')).cleanupWait(options, { signal: stopSignal(), log }),
    verify: async (options) => {
      const { verify } = await import('./verify.ts');
      const { stdout, env } = process;
      // Of a pipe nobody knows the width, whatever its type says.
      const width = stdout.isTTY ? Math.min(stdout.columns, 120) : 100;
      return verify(options, { signal: stopSignal(), width, colours: stdout.isTTY && !env['NO_COLOR'], writeOut });
    },
    up: async (options) => (await import('./up.ts')).up({ ...options, signal: stopSignal() }),
    demo: async (options) => (await import('./demo.ts')).demo({ ...options, signal: stopSignal() }),
    testbed: async (command) =>
      (await import('./testbed/testbed.ts')).testbed(command, { signal: stopSignal(), writeOut }),
    sim: async (command) => {
      const { sim } = await import('./sim/sim.ts');
      const progress = createTerminal(process.stderr);
      // Both are the same screen, often.
      const writeBelow = (text: string): void => {
        progress.clear();
        writeOut(text);
      };
      // Of a pipe nobody knows the width: whoever reads it wants a line to be a line.
      const width = process.stdout.isTTY ? process.stdout.columns : Infinity;
      return sim(command, { signal: stopSignal(), version, width, writeOut: writeBelow, progress });
    },
  },
);
