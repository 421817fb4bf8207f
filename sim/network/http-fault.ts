/** What goes wrong with one exchange. Bytes are counted from the first one of the body. */
export type HttpFault =
  /** The port is closed. */
  | { readonly kind: 'refuse' }
  /** Packets vanish: no connection comes about. */
  | { readonly kind: 'black-hole' }
  /** The request is taken, and no head comes. */
  | { readonly kind: 'silent-head' }
  /** The connection breaks off in the body. */
  | { readonly kind: 'reset'; readonly atByte: number }
  /** No byte comes any more, and the connection stands. */
  | { readonly kind: 'stall'; readonly atByte: number }
  /** One byte is another one. */
  | { readonly kind: 'flip'; readonly atByte: number }
  /** So slowly. */
  | { readonly kind: 'trickle'; readonly bytesPerSecond: number }
  /** This status, and no body. */
  | { readonly kind: 'status'; readonly status: number };
