/** What goes wrong with one exchange. Bytes are counted from the first one of the body; a negative number counts from its end. */
export type HttpFault =
  /** The port is closed. */
  | { readonly kind: 'refuse' }
  /** Packets vanish: no connection comes about, and nothing comes over one that stands. */
  | { readonly kind: 'black-hole' }
  /** The request is taken, and no head comes. */
  | { readonly kind: 'silent-head' }
  /** The head comes so much later. */
  | { readonly kind: 'slow-head'; readonly delayUs: number }
  /** The connection ends instead of a head. */
  | { readonly kind: 'hang-up' }
  /** The answer is not HTTP. */
  | { readonly kind: 'garbage' }
  /** The connection ends in the body, by RST: containerd gives up at once. */
  | { readonly kind: 'reset'; readonly atByte: number }
  /** The same by FIN, which is what a clean end that comes too early is: containerd resumes. */
  | { readonly kind: 'cut'; readonly atByte: number }
  /** No byte comes any more, and the connection stands. */
  | { readonly kind: 'stall'; readonly atByte: number }
  /** One byte is another one. */
  | { readonly kind: 'flip'; readonly atByte: number }
  /** So slowly. */
  | { readonly kind: 'trickle'; readonly bytesPerSecond: number }
  /** This status, and no body. */
  | { readonly kind: 'status'; readonly status: number; readonly retryAfterS?: number }
  /** The range is not seen: 200 and the whole, for a 206. */
  | { readonly kind: 'ignore-range' }
  /** Content-Range says that it begins so many bytes later. */
  | { readonly kind: 'shift-range'; readonly bytes: number }
  /** The size that it says is larger by so much. */
  | { readonly kind: 'other-size'; readonly bytes: number }
  /** It promises so many bytes fewer than there are, and sends as it promised. */
  | { readonly kind: 'short-length'; readonly bytes: number }
  /** It promises so many bytes more, and sends other ones for them. */
  | { readonly kind: 'long-length'; readonly bytes: number }
  /** More bytes follow than were promised: the reader leaves them, and the connection cannot be used again. */
  | { readonly kind: 'surplus' }
  /** The head says another digest. */
  | { readonly kind: 'other-digest' };
