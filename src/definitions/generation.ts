/**
 * The schema's own order between stores: rows are flushed after those that they refer to, where it can be had
 * for nothing.
 */
import type { Model } from './model.js';

/**
 * How many generations of parents a model has among these: 0 without foreign keys to them, else one more than
 * its parents have. Models that refer to each other in a circle count no further than once around.
 */
export function generationOf(model: Model, models: ReadonlyMap<string, Model>): number {
  return generation(model, models, new Set());
}

function generation(model: Model, models: ReadonlyMap<string, Model>, seen: ReadonlySet<string>): number {
  const parents = model.parents
    .flatMap((name) => models.get(name) ?? [])
    .filter(({ name }) => !seen.has(name));
  const ofParents = parents.map((parent) => generation(parent, models, new Set([...seen, model.name])));
  return ofParents.length === 0 ? 0 : 1 + Math.max(...ofParents);
}
