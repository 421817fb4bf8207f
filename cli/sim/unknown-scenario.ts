import { PeiliError } from '../../core/index.ts';
import { didYouMean, namedScenarios } from '../../sim/index.ts';

/** What to do about a name that no scenario has. */
export function unknownScenario(given: string, orElse = ''): PeiliError {
  const names = namedScenarios.map(({ name }) => name);
  const begins = names.find((name) => given.length > 2 && name.startsWith(given));
  const near = begins === undefined ? didYouMean(given, names) : ` (did you mean ${begins}?)`;
  return new PeiliError(
    'OPTION_INVALID',
    `${JSON.stringify(given)} is no scenario${near}: peili sim list says which there are${orElse}`,
  );
}
