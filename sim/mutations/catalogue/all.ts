import type { Mutation } from '../mutation.ts';
import { resumes } from './resumes.ts';

export const mutations: readonly Mutation[] = [...resumes];
