import { clockSuite, digesterSuite, observerSuite, probeSuite, randomSuite } from '../../core/conformance/index.ts';
import { silentProbe } from '../../core/index.ts';
import type { Chunk, Random } from '../../core/index.ts';
import { planted, subjects } from './testing/planted.ts';

// Each suite is run on a memory implementation with one bug in it, and must name the law that it breaks.

for (const [what, law, earlier] of [
  ['a timer is early', /a timer of 20000 us/, (delayUs: number) => delayUs / 2],
  ['a long delay overflows', /60 days/, (delayUs: number) => (delayUs % 2 ** 31) % 3],
  ['timers lose their order', /in the order of their times/, (delayUs: number) => 50_000 - delayUs],
] as const) {
  planted(`clock: ${what}`, law, (tools, hasBug) => {
    const factory = () => {
      const subject = subjects.clock();
      const { clock } = subject;
      const schedule = (delayUs: number, callback: () => void) => clock.schedule(earlier(delayUs), callback);
      return hasBug ? { ...subject, clock: { ...clock, schedule } } : subject;
    };
    clockSuite({ ...tools, manifest: { name: 'bug', supports: {} }, factory });
  });
}
planted('clock: cancelling does nothing', /a cancelled timer/, (tools, hasBug) => {
  const factory = () => {
    const subject = subjects.clock();
    const { clock } = subject;
    const schedule = (delayUs: number, callback: () => void) => {
      clock.schedule(delayUs, callback);
      return { cancel: () => undefined };
    };
    return hasBug ? { ...subject, clock: { ...clock, schedule } } : subject;
  };
  clockSuite({ ...tools, manifest: { name: 'bug', supports: {} }, factory });
});

for (const [what, law, change] of [
  [
    'the bound is included',
    /below\(bound\)/,
    (random: Random): Random => ({ ...random, below: (bound) => random.below(2 ** 32) % (bound + 1) }),
  ],
  [
    'a fork draws from its parent',
    /a fork is the same stream/,
    (random: Random): Random => ({ ...random, fork: (label) => random.fork(`${label}${random.below(1_000)}`) }),
  ],
  [
    'labels do not matter',
    /different labels/,
    (random: Random): Random => ({ ...random, fork: () => random.fork('') }),
  ],
  [
    'numbers are uneven',
    /fall evenly/,
    (random: Random): Random => ({ ...random, below: (bound) => Math.min(random.below(bound), random.below(bound)) }),
  ],
] as const) {
  planted(`random: ${what}`, law, (tools, hasBug) => {
    const { seeded } = subjects.random();
    const factory = () => ({ seeded: hasBug ? (seed: string) => change(seeded(seed)) : seeded });
    randomSuite({ ...tools, manifest: { name: 'bug', supports: {} }, factory });
  });
}

const realPause = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, 1));

planted(
  'digester: a buffer is read after update() has resolved',
  /its buffer is free/,
  (tools, hasBug) => {
    const factory = () => {
      const subject = subjects.digester();
      const { digester } = subject;
      const stream: typeof digester.stream = (algorithm) => {
        const inner = digester.stream(algorithm);
        const kept: Chunk[] = [];
        const update = async (chunk: Chunk) => void kept.push(chunk);
        const finish = async () => {
          for (const chunk of kept) await inner.update(chunk);
          return inner.finish();
        };
        return { ...inner, update, finish };
      };
      return hasBug ? { ...subject, digester: { ...digester, stream } } : subject;
    };
    digesterSuite({ ...tools, manifest: { name: 'bug', supports: {} }, factory });
  },
  realPause,
);
planted(
  'digester: a cancelled stream stays open',
  /cancel\(\) settles/,
  (tools, hasBug) => {
    const factory = () => {
      const subject = subjects.digester();
      const { digester } = subject;
      const stream: typeof digester.stream = (algorithm) => ({
        ...digester.stream(algorithm),
        cancel: () => undefined,
      });
      return hasBug ? { ...subject, digester: { ...digester, stream } } : subject;
    };
    digesterSuite({ ...tools, manifest: { name: 'bug', supports: {} }, factory });
  },
  realPause,
);

planted('observer: an event that it does not know throws', /every event of the node/, (tools, hasBug) => {
  const factory = () => {
    const { observer } = subjects.observer();
    const onNode: typeof observer.onNode = (event) => {
      if (event.type === 'name-skipped') throw new Error('unknown event');
    };
    return { observer: hasBug ? { ...observer, onNode } : observer };
  };
  observerSuite({ ...tools, manifest: { name: 'bug', supports: {} }, factory });
});
planted('observer: events are changed', /leaves events as they are/, (tools, hasBug) => {
  const factory = () => {
    const { observer } = subjects.observer();
    const onPull: typeof observer.onPull = (event) => void Object.assign(event, { pullId: 0 });
    return { observer: hasBug ? { ...observer, onPull } : observer };
  };
  observerSuite({ ...tools, manifest: { name: 'bug', supports: {} }, factory });
});
planted('probe: rare behaviour in production', /never asks/, (tools, hasBug) => {
  let calls = 0;
  const buggify = () => (calls += 1) % 500 === 0;
  const probe = hasBug ? { ...silentProbe, buggify } : silentProbe;
  probeSuite({ ...tools, manifest: { name: 'bug', supports: { quiet: true } }, factory: () => ({ probe }) });
});
