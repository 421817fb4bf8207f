/** What a test campaign wants to know about rare states, and where it may make them. Does nothing in production. */
export interface Probe {
  /** Declares that over a long campaign `condition` must have been true at least once here. */
  sometimes(name: string, condition: boolean): void;
  /** Declares that this place must have been reached at least once. */
  reach(name: string): void;
  /** True when the campaign asks for a rare but legal behaviour here. Always false in production. */
  buggify(name: string): boolean;
}

/** The probe of production. */
export const silentProbe: Probe = {
  sometimes: () => undefined,
  reach: () => undefined,
  buggify: () => false,
};
