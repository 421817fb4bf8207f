/**
 * What is wrong with the way from one node to another. Offsets are those of the content, not of the answer:
 * a range that begins behind a fault is not hit by it.
 */
export type LinkFault =
  /** Nobody listens there. */
  | { readonly type: 'refuse' }
  /** Packets vanish. */
  | { readonly type: 'black-hole' }
  /** The request is taken and never answered. */
  | { readonly type: 'silent-head' }
  /** The connection ends instead of an answer. */
  | { readonly type: 'hang-up' }
  /** The connection ends before this byte. */
  | { readonly type: 'cut'; readonly atByte: number }
  /** Nothing comes from this byte on. */
  | { readonly type: 'stall'; readonly atByte: number }
  /** One bit of this byte is wrong. */
  | { readonly type: 'flip'; readonly atByte: number }
  /** Ranges are answered with 200 and the whole content. */
  | { readonly type: 'whole-for-range' }
  /** Content-Range names another part than was asked for. */
  | { readonly type: 'wrong-content-range' }
  | { readonly type: 'slow'; readonly bytesPerSecond: number };

/** The parts of a fault that a body meets. */
export type BodyFault = Extract<LinkFault, { readonly type: 'cut' | 'stall' | 'flip' | 'slow' }>;

export function bodyFaultOf(fault: LinkFault | undefined): BodyFault | undefined {
  if (fault === undefined) return undefined;
  return fault.type === 'cut' || fault.type === 'stall' || fault.type === 'flip' || fault.type === 'slow'
    ? fault
    : undefined;
}
