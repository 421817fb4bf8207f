import { spawn } from 'node:child_process';

/** One command of a check or a build, by the question it answers. */
export interface Step {
  readonly name: string;
  readonly command: string;
  readonly args: readonly string[];
}

interface Outcome {
  readonly step: Step;
  readonly passed: boolean;
  readonly output: string;
  readonly seconds: number;
}

/** Runs the steps side by side, prints a line for each and the output of those that failed; true if all passed. */
export async function runTogether(steps: readonly Step[]): Promise<boolean> {
  const outcomes = await Promise.all(steps.map(run));
  for (const { step, passed, seconds, output } of outcomes) {
    console.log(`${passed ? 'ok  ' : 'FAIL'} ${step.name} (${step.command}), ${seconds.toFixed(1)} s`);
    if (!passed) console.log(output.trimEnd());
  }
  return outcomes.every(({ passed }) => passed);
}

/** Programs of node_modules/.bin are found because npm puts that folder into PATH for its scripts. */
async function run(step: Step): Promise<Outcome> {
  const started = performance.now();
  const { promise, resolve } = Promise.withResolvers<Outcome>();
  const child = spawn(step.command, step.args, { stdio: ['ignore', 'pipe', 'pipe'] });
  const chunks: Buffer[] = [];
  const settle = (passed: boolean, note: string): void => {
    const output = `${Buffer.concat(chunks).toString('utf8')}${note}`;
    resolve({ step, passed, output, seconds: (performance.now() - started) / 1000 });
  };
  child.stdout.on('data', (chunk: Buffer) => chunks.push(chunk));
  child.stderr.on('data', (chunk: Buffer) => chunks.push(chunk));
  child.on('error', (error) => settle(false, `${error.message}\nrun it as \`npm run ...\`, after \`npm ci\``));
  child.on('close', (code) => settle(code === 0, ''));
  return promise;
}
