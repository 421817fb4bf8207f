import { findable } from './findable.ts';
import { idle } from './idle.ts';
import { largeBodies } from './large-bodies.ts';
import { lookup } from './lookup.ts';
import { lostHolder } from './lost-holder.ts';
import { manyMembers } from './members.ts';
import { artifactBlobs, askedTooEarly, parallelRequests } from './nodes/finding.ts';
import { deadHolder, vanishedHolder, wedgedHolder } from './nodes/lost-before.ts';
import { frozenSender, killedSender } from './nodes/lost-in-mid-blob.ts';
import { missesOnNodes } from './nodes/misses.ts';
import { parallelRanges } from './nodes/parallel-ranges.ts';
import { allAtOnce, memory, standstill } from './nodes/processes.ts';
import { largeLayer, nearUpstream } from './nodes/usual-pulls.ts';
import { wrongByte } from './nodes/wrong-byte.ts';
import { relaysAtOnce } from './relays-at-once.ts';
import type { RowGroup } from './row.ts';
import { smallAnswers } from './small-answers.ts';

/** In the order of the table. */
export const rowGroups: readonly RowGroup[] = [
  frozenSender,
  wedgedHolder,
  vanishedHolder,
  killedSender,
  deadHolder,
  wrongByte,
  askedTooEarly,
  artifactBlobs,
  parallelRequests,
  nearUpstream,
  largeLayer,
  largeBodies,
  smallAnswers,
  missesOnNodes,
  memory,
  allAtOnce,
  parallelRanges,
  standstill,
  relaysAtOnce,
  lookup,
  manyMembers,
  findable,
  lostHolder,
  idle,
];
