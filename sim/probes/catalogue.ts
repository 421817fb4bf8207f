import type { SimEvent } from '../run/trace.ts';

/**
 * Something rare that a long campaign must have seen: if it has not, its scenarios do not get where the bugs are. `unreachable`: seen once is wrong. What must
 * always hold is an oracle's.
 */
export interface ProbeRow {
  readonly kind: 'sometimes' | 'unreachable';
  /** What it would mean if it were never seen. */
  readonly why: string;
  /** Of the trace; without it: a mirror tells of it by this name. */
  readonly isIn?: (event: SimEvent) => boolean;
}

type PullType<Type> = Extract<Extract<SimEvent, { readonly type: 'mirror-pull' }>['event'], { readonly type: Type }>;

const pull =
  <Type extends string>(type: Type, is: (step: PullType<Type>) => boolean = () => true) =>
  (event: SimEvent): boolean =>
    event.type === 'mirror-pull' && event.event.type === type && is(event.event as PullType<Type>);

const sometimes = (why: string, isIn?: ProbeRow['isIn']): ProbeRow => ({
  kind: 'sometimes',
  why,
  ...(isIn === undefined ? {} : { isIn }),
});

/** Declared before any run: a campaign cannot leave out what it did not come across. */
export const probes: Readonly<Record<string, ProbeRow>> = {
  'relay: a source failed in mid-body': sometimes('bodies never lose their source'),
  'relay: a body that lost its sources looks for others': sometimes('there is always another source'),
  'relay: a hedge gave the head': sometimes('no head is ever late'),
  'relay: only the last byte is resumed': sometimes('bodies are never cut at their very end'),
  'relay: a body ends early, since nobody is left': sometimes('there is always another source'),
  'routing: a warming member has nobody to name': sometimes('no router has ever forgotten what it was told'),
  'routing: a withdrawal outweighs a late addition': sometimes('batches never overtake each other'),
  'buggify: routing: warming again': sometimes('rare behaviours are never asked for'),
  'buggify: advertising: a message for each key': sometimes('rare behaviours are never asked for'),
  'buggify: relay: a window of one byte': sometimes('rare behaviours are never asked for'),
  'a stall': sometimes('no source ever stands still', pull('stall')),
  'a body goes on at another source': sometimes('no source is ever left', pull('switch')),
  'a body is cut': sometimes(
    'there is always a way to go on',
    pull('end', ({ reason }) => reason === 'cut'),
  ),
  'a body is cut for its digest': sometimes(
    'nothing is verified as it passes',
    pull('end', ({ reason }) => reason === 'mismatch'),
  ),
  'a client hangs up': sometimes(
    'clients are too patient',
    pull('end', ({ reason }) => reason === 'hangup'),
  ),
  'nobody has it': sometimes(
    'there are no misses',
    pull('lookup', ({ outcome }) => outcome === 'nobody'),
  ),
  'a lookup takes too long': sometimes(
    'all members answer in time',
    pull('lookup', ({ outcome }) => outcome === 'timeout'),
  ),
  'no member can be asked': sometimes(
    'all members are reached',
    pull('lookup', ({ outcome }) => outcome === 'unreachable'),
  ),
  'a source is suspected': sometimes(
    'nobody asks twice',
    pull('suspect', ({ proof }) => proof === 'pending'),
  ),
  'a suspect proves honest': sometimes(
    'only liars are suspected',
    pull('suspect', ({ proof }) => proof === 'honest'),
  ),
  'a suspect proves wrong': sometimes(
    'no file is ever wrong',
    pull('suspect', ({ proof }) => proof === 'wrong'),
  ),
  'a liar is named': sometimes('no lie is ever found out', pull('liar')),
  'a tag is answered by a peer': sometimes(
    'tags always come from the registry',
    pull('head', ({ ageUs, source }) => ageUs !== undefined && source !== 'local'),
  ),
  'a mirror is turned away': sometimes(
    'nobody is ever busy or leaving',
    (event) => event.type === 'head' && event.status === 503,
  ),
  'a mirror leaves': sometimes(
    'all mirrors are killed',
    (event) => event.type === 'mirror-node' && event.event.type === 'draining',
  ),
  'a router that had forgotten all has been told anew': sometimes(
    'no router is ever warming',
    (event) => event.type === 'mirror-node' && event.event.type === 'records' && !event.event.warming,
  ),
  'a pull fails': sometimes(
    'nothing ever gets through to a client',
    (event) => event.type === 'pull-end' && event.outcome !== 'ok',
  ),
  'a request is not answered as promised': {
    kind: 'unreachable',
    why: 'a fault of the program itself',
    isIn: (event) => event.type === 'mirror-node' && event.event.type === 'request-failed',
  },
};
