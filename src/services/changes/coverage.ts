/**
 * What a reader covers, in short. One of another release may have heard nothing of a table, or have dropped
 * none of some values: whoever covers something else can't go on where it has come to.
 */
import { createHash } from 'node:crypto';
import type { CoveredModel } from '../../database/publication.js';
import type { Dependents } from './dependents.js';

export function coverageOf(covered: readonly CoveredModel[], dependents: Dependents): string {
  const models = covered.map(({ model, stores }) => [model.name, ...stores.map(({ name }) => name)]);
  const facts = [...models, ...dependents.facts].map((one) => JSON.stringify(one)).sort();
  return createHash('sha256').update(facts.join()).digest('base64url').slice(0, 16);
}
