/** What goes wrong with one exchange. Bytes are counted from the first one of the body. */
export type HttpFault =
  /** The port is closed. */
  | { readonly kind: 'refuse' }
  /** Packets vanish: no connection comes about. */
  | { readonly kind: 'black-hole' }
  /** The request is taken, and no head comes. */
  | { readonly kind: 'silent-head' }
  /** The head comes so much later. */
  | { readonly kind: 'slow-head'; readonly delayUs: number }
  /** The connection breaks off in the body; a clean end that comes too early is the same to who counts. */
  | { readonly kind: 'reset'; readonly atByte: number }
  /** No byte comes any more, and the connection stands. */
  | { readonly kind: 'stall'; readonly atByte: number }
  /** One byte is another one. */
  | { readonly kind: 'flip'; readonly atByte: number }
  /** So slowly. */
  | { readonly kind: 'trickle'; readonly bytesPerSecond: number }
  /** This status, and no body. */
  | { readonly kind: 'status'; readonly status: number }
  /** The range is not seen: 200 and the whole, for a 206. */
  | { readonly kind: 'ignore-range' }
  /** Content-Range says that it begins so many bytes later. */
  | { readonly kind: 'shift-range'; readonly bytes: number }
  /** The size that it says is larger by so much. */
  | { readonly kind: 'other-size'; readonly bytes: number }
  /** The head says another digest. */
  | { readonly kind: 'other-digest' };
