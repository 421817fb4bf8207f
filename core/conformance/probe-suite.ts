import type { Probe } from '../ports/index.ts';
import { createHarness } from './harness.ts';
import type { Manifest, Subject, SuiteTools } from './harness.ts';

export interface ProbeSubject extends Subject {
  readonly probe: Probe;
}

/** `quiet`: it never asks for rare behaviour, as in production. */
export type ProbeCapability = 'quiet';

export interface ProbeSuiteOptions extends SuiteTools {
  readonly manifest: Manifest<ProbeCapability>;
  readonly factory: () => Promise<ProbeSubject> | ProbeSubject;
}

/** The laws of `Probe`. */
export function probeSuite({ manifest, factory, ...tools }: ProbeSuiteOptions): void {
  const { assert, law, lawOf } = createHarness(tools, 'probe', manifest, factory);

  law('never throws and answers only buggify(), with a boolean', ({ probe }) => {
    for (let round = 0; round < 50; round += 1) {
      const sometimes: unknown = probe.sometimes('a rare state', round % 2 === 0);
      const reached: unknown = probe.reach('a rare place');
      assert.equal(sometimes, undefined);
      assert.equal(reached, undefined);
      assert.equal(typeof probe.buggify('a rare behaviour'), 'boolean');
    }
    return Promise.resolve();
  });

  lawOf('quiet', 'never asks for rare behaviour', ({ probe }) => {
    for (let round = 0; round < 1_000; round += 1) assert.equal(probe.buggify(`behaviour ${round % 7}`), false);
    return Promise.resolve();
  });
}
