/** On a HEAD between mirrors: "check your own file". On its answer: `right`, `wrong`, or absent when there is no proof. */
export const selfCheckHeader = 'peili-self-check';
