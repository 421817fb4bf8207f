import { findable } from './findable.ts';
import { idle } from './idle.ts';
import { largeBodies } from './large-bodies.ts';
import { lookup } from './lookup.ts';
import { lostHolder } from './lost-holder.ts';
import { manyMembers } from './members.ts';
import { relaysAtOnce } from './relays-at-once.ts';
import type { RowGroup } from './row.ts';
import { smallAnswers } from './small-answers.ts';

/** In the order of the table. */
export const rowGroups: readonly RowGroup[] = [
  largeBodies,
  smallAnswers,
  relaysAtOnce,
  lookup,
  manyMembers,
  findable,
  lostHolder,
  idle,
];
