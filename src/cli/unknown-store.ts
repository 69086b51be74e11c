/** What a command says of a store that has no lanes. */
import { UsageError } from './command.js';
import { suggestion } from './suggestion.js';

/** @param known stores by their names */
export function unknownStore(store: string, known: ReadonlyMap<string, unknown>): UsageError {
  const names = [...known.keys()].sort();
  return new UsageError(
    `There is no store "${store}" with lanes of its own.${suggestion(store, names)} Known: ${names.join(', ') || 'none'}.`,
  );
}
