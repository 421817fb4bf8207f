/** What goes wrong with one call between routers. */
export type RecordsFault =
  /** It is taken, and never answered. */
  | { readonly kind: 'lost' }
  /** The member says that it cannot take it now. */
  | { readonly kind: 'refused' }
  /** The member has no room for records of this sender. */
  | { readonly kind: 'quota' }
  /** It takes so much longer. */
  | { readonly kind: 'slow'; readonly delayUs: number }
  /** It arrives, and so much later once more: on the stream that was given up. */
  | { readonly kind: 'again'; readonly delayUs: number }
  /** What a batch withdraws is not heard, so that records are stale. */
  | { readonly kind: 'stale' }
  /** "Nobody has it", whatever is known. */
  | { readonly kind: 'empty' }
  /** The asker itself and the asked one have it. */
  | { readonly kind: 'self' }
  /** Whoever is known has it, a stranger who is nowhere too, and another stranger knows more. */
  | { readonly kind: 'hostile' };
