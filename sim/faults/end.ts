/** Makes what a fault has changed as it was before. */
export type End = () => void;

export const nothing: End = () => undefined;
