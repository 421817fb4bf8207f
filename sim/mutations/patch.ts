import type { Patch } from './mutation.ts';

/** The text with the patch in it. Throws where the anchor is not there, or more than once: then the catalogue is older than the source. */
export function patched(text: string, { file, anchor, replacement }: Patch): string {
  const at = text.indexOf(anchor);
  if (at < 0) throw new RangeError(`${file}: an anchor is not there any more: ${JSON.stringify(anchor)}`);
  if (text.includes(anchor, at + 1)) throw new RangeError(`${file}: an anchor fits twice: ${JSON.stringify(anchor)}`);
  return text.slice(0, at) + replacement + text.slice(at + anchor.length);
}

/** The same for several patches of one file. */
export function patchedWith(text: string, patches: readonly Patch[]): string {
  return patches.reduce(patched, text);
}
