/**
 * Bugs that are planted into this repository's sources as they are loaded, to see that the simulator's laws catch them. Works in a checkout only: a build has no
 * sources to plant them in.
 *
 * @packageDocumentation
 */
export { mutations } from './catalogue/all.ts';
export type { Hunt, Mutation, Patch } from './mutation.ts';
export { runMutations } from './run-mutations.ts';
export type { Fate, MutationResult, RunMutationsOptions } from './run-mutations.ts';
export { assertSources } from './thread.ts';
export type { HostClock } from './thread.ts';
export { formatMutation, formatReport, reportOf } from './report.ts';
export type { MutationsReport } from './report.ts';
export { caseFileOf, caseOf } from './saved-case.ts';
export type { MutationCase } from './saved-case.ts';
