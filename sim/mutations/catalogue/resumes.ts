import type { Mutation } from '../mutation.ts';
import { bothHolders, image, megabyte, midPullUs, nearAndFar, oneHolder, pullUs, scene, second } from './scenes.ts';

const segments = 'core/relay/blob-segments.ts';
const body = 'core/relay/continuous-body.ts';
const nextRace = 'return await this.race(offset, this.#end, this.#sizeBytes, signal, preferred);';

/** What goes wrong when a body loses its source and the next byte has to come from another. */
export const resumes: readonly Mutation[] = [
  // What comes after the last byte no reader of ours looks at: it counts to Content-Length. The nearest place is the byte before.
  {
    name: 'M2',
    wrong: 'a body that goes on before its very last byte asks for a range that ends before it starts',
    patches: [
      {
        file: segments,
        anchor: nextRace,
        replacement:
          'return await this.race(offset, failure === undefined ? this.#end : this.#end - 1, this.#sizeBytes, signal, preferred);',
      },
    ],
    caughtBy: ['bodiesGoOn'],
    hunt: {
      scenario: scene(oneHolder({ atUs: pullUs, what: { kind: 'http', fault: { kind: 'cut', atByte: -1 } } }), {
        images: [{ name: image, layerBytes: [megabyte] }],
        cluster: nearAndFar,
        asks: [{ atUs: pullUs + 1, node: 0, image, what: 0 }],
        workload: [
          { atUs: second, node: 1, image },
          { atUs: 6 * second, node: 2, image },
          { atUs: pullUs + second, node: 0, image },
        ],
      }),
      seeds: [1],
    },
  },
  {
    name: 'M4',
    wrong: 'a source that dies before its first byte is not remembered as failed, and is asked again at every resume',
    patches: [
      {
        file: segments,
        anchor: `if (code !== 'PEER_SLOW') this.#deps.failures`,
        replacement: `if (code !== 'PEER_SLOW' && offset > segment.start) this.#deps.failures`,
      },
    ],
    caughtBy: ['pullsSucceed'],
    hunt: {
      scenario: scene(bothHolders({ atUs: pullUs, what: { kind: 'http', fault: { kind: 'reset', atByte: 0 } } })),
      seeds: [1],
    },
  },
  {
    name: 'M5',
    wrong: 'a body whose source gives no byte any more is waited for without end',
    seen: 'Spegel v0.7.4, row C: 308 s, then the pull fails',
    patches: [
      {
        file: 'core/relay/stall.ts',
        anchor: `if (waitedUs >= limits.stallTimeoutUs) return { type: 'stalled', waitedUs };`,
        replacement: `if (waitedUs >= limits.stallTimeoutUs) return { type: 'look-again', inUs: limits.stallTimeoutUs };`,
      },
    ],
    caughtBy: ['nobodyHangs', 'pullsEnd'],
    hunt: {
      scenario: scene(
        bothHolders({ atUs: pullUs, what: { kind: 'http', fault: { kind: 'stall', atByte: 3_000_000 } } }),
      ),
      seeds: [1],
    },
  },
  {
    name: 'P10',
    wrong:
      'a stall is borne, and then borne again: holders that stand still too are asked again and again before the client is let go upstream',
    patches: [
      {
        file: segments,
        anchor: "(errorCodeOf(failure) === 'PEER_STALLED' ? 0 : limits.stallTimeoutUs)",
        replacement: 'limits.stallTimeoutUs',
      },
    ],
    caughtBy: ['stallsAreBorneOnce'],
    hunt: { scenario: scene(bothHolders({ atUs: midPullUs, what: { kind: 'pause' } })), seeds: [1] },
  },
  {
    name: 'P12',
    wrong:
      'a mirror that was stopped for a while and goes on says that the source stalled, which had waited with the bytes',
    patches: [
      {
        file: 'core/fair-timer.ts',
        anchor: 'if (clock.nowUs() - dueUs <= lateUs) callback();',
        replacement: 'if (dueUs >= 0) callback();',
      },
    ],
    caughtBy: ['standingStillBlamesNobody'],
    hunt: {
      scenario: scene([{ atUs: midPullUs, target: 0, what: { kind: 'pause' }, untilUs: midPullUs + 5 * second }]),
      seeds: [1],
    },
  },
  {
    name: 'M8',
    wrong: 'when no source is left in mid-body the error is written after the bytes',
    patches: [
      {
        file: body,
        anchor: 'throw cancelled ? abortedError() : error;',
        replacement: `if (!cancelled) return { done: false, value: new TextEncoder().encode('{"errors":[{"code":"BLOB_UNKNOWN"}]}') };
      throw abortedError();`,
      },
    ],
    caughtBy: ['bytesAreTheContents'],
    hunt: { scenario: scene(bothHolders({ atUs: midPullUs, what: { kind: 'crash' } })), seeds: [1] },
  },
  {
    name: 'M9',
    wrong:
      'a read that stalls stays at the connection that is dead: it is not let go of when another source is to go on',
    patches: [{ file: body, anchor: 'void segment.body.return();', replacement: '' }],
    caughtBy: ['nobodyHangs', 'pullsEnd'],
    hunt: {
      scenario: scene(oneHolder({ atUs: pullUs, what: { kind: 'http', fault: { kind: 'stall', atByte: 3_000_000 } } })),
      seeds: [1, 2, 3, 4],
    },
  },
  {
    name: 'M11',
    wrong: 'a peer that refuses the window that was asked for ahead ends the process: nobody looks at that promise yet',
    patches: [{ file: segments, anchor: 'answer.catch(() => undefined);', replacement: '' }],
    caughtBy: ['crash'],
    hunt: {
      scenario: scene(bothHolders({ atUs: midPullUs, what: { kind: 'http', fault: { kind: 'status', status: 503 } } })),
      seeds: [1],
    },
  },
  {
    name: 'M12',
    wrong: 'a body goes on at another source from its first byte',
    seen: 'Spegel v0.4.0, row F',
    patches: [
      {
        file: segments,
        anchor: nextRace,
        replacement:
          'return await this.race(failure === undefined ? offset : 0, this.#end, this.#sizeBytes, signal, preferred);',
      },
    ],
    caughtBy: ['bytesAreTheContents'],
    hunt: { scenario: scene(oneHolder({ atUs: midPullUs, what: { kind: 'crash' } })), seeds: [1, 2, 3, 4] },
  },
  {
    name: 'M13',
    wrong: 'a body goes on at another source one byte too far',
    patches: [
      {
        file: segments,
        anchor: nextRace,
        replacement:
          'return await this.race(failure === undefined ? offset : offset + 1, this.#end, this.#sizeBytes, signal, preferred);',
      },
    ],
    caughtBy: ['bytesAreTheContents'],
    hunt: { scenario: scene(oneHolder({ atUs: midPullUs, what: { kind: 'crash' } })), seeds: [1, 2, 3, 4] },
  },
  {
    name: 'M14',
    wrong: 'stalls are measured on the wall clock: one that is set back keeps a dead source for an hour',
    patches: [
      {
        file: body,
        anchor: 'this.#flow = waitFor(this.#flow, this.#clock.nowUs());',
        replacement: 'this.#flow = waitFor(this.#flow, this.#clock.wallUs());',
      },
      {
        file: body,
        anchor: 'receive(this.#flow, this.#clock.nowUs(), chunk',
        replacement: 'receive(this.#flow, this.#clock.wallUs(), chunk',
      },
      {
        file: body,
        anchor: 'judgeStall(this.#flow, this.#clock.nowUs(), this.#limits)',
        replacement: 'judgeStall(this.#flow, this.#clock.wallUs(), this.#limits)',
      },
    ],
    caughtBy: ['nobodyHangs', 'pullsEnd'],
    hunt: {
      scenario: scene([
        ...bothHolders({ atUs: pullUs, what: { kind: 'http', fault: { kind: 'stall', atByte: 3_000_000 } } }),
        { atUs: pullUs + second, target: 0, what: { kind: 'wall', offsetUs: -3_600 * second } },
      ]),
      seeds: [1],
    },
  },
  {
    name: 'M21',
    wrong: 'a source that does not see the range and answers 200 with the whole goes on in the middle of a body',
    seen: 'Dragonfly client 1889: right length, other bytes',
    patches: [
      {
        file: 'core/relay/continues.ts',
        anchor: 'if (status === 200 && wanted.window.start === 0)',
        replacement: 'if (status === 200)',
      },
    ],
    caughtBy: ['bytesAreTheContents'],
    hunt: {
      scenario: scene(oneHolder({ atUs: pullUs + 10_000, what: { kind: 'http', fault: { kind: 'ignore-range' } } }), {
        holders: 1,
      }),
      seeds: [1],
    },
  },
  {
    name: 'M24',
    wrong: 'when no source is left in mid-body it ends as if it were whole',
    seen: 'Dragonfly client 1959: a short body with the right Content-Length',
    patches: [
      {
        file: body,
        anchor: 'throw cancelled ? abortedError() : error;',
        replacement: `if (!cancelled) return { done: true, value: undefined };
      throw abortedError();`,
      },
    ],
    caughtBy: ['endsAreHonest'],
    hunt: { scenario: scene(bothHolders({ atUs: midPullUs, what: { kind: 'crash' } })), seeds: [1] },
  },
  {
    name: 'spegel-1318',
    wrong:
      'the window asked for ahead is taken for the one at which a body goes on after a failure: its range was changed under way',
    seen: 'Spegel 1318: two requests share one range',
    patches: [
      {
        file: segments,
        anchor: 'if (ahead === undefined || ahead.start === offset) {',
        replacement: 'if (ahead !== undefined || offset < 0) {',
      },
    ],
    caughtBy: ['bytesAreTheContents'],
    hunt: {
      scenario: scene(
        oneHolder({ atUs: pullUs, what: { kind: 'http', fault: { kind: 'reset', atByte: 8_000_000 } } }),
        { holders: 1 },
      ),
      seeds: [1],
    },
  },
  {
    name: 'dragonfly-1848',
    wrong: 'bytes that come while the client has not taken the last ones are lost, silently: the queue to it is full',
    seen: 'Dragonfly client 1848',
    patches: [
      {
        file: body,
        anchor: 'return this.#ended ? Promise.reject(abortedError()) : this.#read();',
        replacement: `const isFull = this.#clock.nowUs() - (this.takenUs ?? Infinity) > 1_000_000;
    const taken = isFull ? this.#read().then(() => this.#read()) : this.#read();
    return taken.then((step) => {
      this.takenUs = this.#clock.nowUs();
      return step;
    });`,
      },
    ],
    caughtBy: ['bytesAreTheContents'],
    hunt: {
      scenario: scene([], {
        asks: [{ atUs: pullUs, node: 0, image, what: 0, bytesPerSecond: megabyte }],
        workload: [
          { atUs: second, node: 1, image },
          { atUs: pullUs + 60 * second, node: 0, image },
        ],
      }),
      seeds: [1],
    },
  },
];
