import type { Mutation } from '../mutation.ts';
import { answers } from './answers.ts';
import { cluster } from './cluster.ts';
import { resumes } from './resumes.ts';
import { sources } from './sources.ts';
import { tags } from './tags.ts';

/** All bugs, each by its own name. */
export const mutations: readonly Mutation[] = [...answers, ...resumes, ...sources, ...tags, ...cluster];
