import { findScenario, formatLeague, league, parseScenario, simulate } from '../sim/index.ts';
import type { Scenario, SimResult } from '../sim/index.ts';
import type { Terminal } from './terminal.ts';

const nodes = 100;
const policies = ['peili', 'spegelLike', 'noMirror'] as const;
/** What fits a terminal; `peili sim run` shows all. */
const figures = [
  'makespan',
  'median pull',
  'slowest pull',
  'upstream copies',
  'slower pulls',
  'lost at most',
  'across zones',
  'longest gap',
  'failed',
];

const scenes = [
  {
    name: 'cold-start',
    says: 'all at once, and nobody has the image: each takes its own copy, and no mirror may make that slower.',
  },
  { name: 'second-wave', says: 'one node has the image, then all others pull it.' },
] as const;

/** The mirror that the demo has shown, on a hundred simulated nodes beside others: the league table of two scenarios, as far as there is time. */
export async function tellDemoLeague(terminal: Terminal, signal: AbortSignal): Promise<void> {
  terminal.line();
  terminal.line(
    `6. The same mirror on ${nodes} nodes, simulated, beside Spegel's rules and no mirror at all (\`peili sim run\`).`,
  );
  for (const { name, says } of scenes) {
    const text = findScenario(name)?.text ?? '';
    const { scenario } = parseScenario(text, { file: name, set: [`cluster.nodes=${nodes}`] });
    const results = await runAll(scenario, terminal, signal);
    if (results.length > 0) {
      terminal.line(`   ${name}: ${says}`);
      const lines = formatLeague(league(scenario, results), figures).trimEnd().split('\n');
      for (const line of lines) terminal.line(`     ${line}`);
    }
    if (results.length < policies.length) {
      terminal.line(`   No time left for more: \`peili sim run ${name} --nodes ${nodes}\`.`);
      return;
    }
  }
}

/** What had ended when it was stopped. */
async function runAll(scenario: Scenario, terminal: Terminal, signal: AbortSignal): Promise<readonly SimResult[]> {
  const results: SimResult[] = [];
  for (const policy of policies) {
    if (signal.aborted) break;
    terminal.progress(`   ${scenario.name} · ${policy}`);
    const result = await simulate(scenario, {
      policy,
      drain: 'tick',
      watched: {},
      onWorld: ({ kernel }) => {
        signal.addEventListener('abort', () => {
          kernel.stop();
        });
      },
    });
    if (!signal.aborted) results.push(result);
  }
  return results;
}
