import { registerHooks } from 'node:module';
import type { Patch } from './mutation.ts';
import { patchedWith } from './patch.ts';

/** Has all that this thread loads from now on loaded with these patches. The hook sees the sources before their types are stripped. */
export function plant(patches: readonly Patch[], root: URL): void {
  const patchesOf = new Map<string, Patch[]>();
  for (const patch of patches) {
    const url = new URL(patch.file, root).href;
    patchesOf.set(url, [...(patchesOf.get(url) ?? []), patch]);
  }
  registerHooks({
    load: (url, context, nextLoad) => {
      const loaded = nextLoad(url, context);
      const mine = patchesOf.get(url);
      if (mine === undefined) return loaded;
      const { source } = loaded;
      const text = typeof source === 'string' ? source : new TextDecoder().decode(source);
      return { ...loaded, source: patchedWith(text, mine) };
    },
  });
}
