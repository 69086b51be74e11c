/** Tenants: whose a record is. A crowded lane shares the next batch among them, see write/places.lua. */
import { ForebayError } from '../errors.js';
import { rootKeyOfField } from './aggregate.js';
import type { LaneGroup } from './stores.js';

const tenantMax = 200;

/**
 * Undefined: the store has no tenants.
 * @throws ForebayError INVALID_DEFINITION, when the store's function gives none, or throws
 */
export function tenantOf(group: LaneGroup, field: string): string | undefined {
  if (group.tenant === undefined) return undefined;
  const tenant = askedOf(group, rootKeyOfField(group, field));
  if (typeof tenant === 'string' && tenant !== '' && tenant.length <= tenantMax) return tenant;
  throw noTenant(group, `must be a string of 1 to ${tenantMax} characters, not ${shown(tenant)}`);
}

function askedOf(group: LaneGroup, rootKey: string): unknown {
  try {
    return group.tenant?.(rootKey);
  } catch (cause) {
    throw noTenant(group, 'throws', cause);
  }
}

function noTenant({ name }: LaneGroup, what: string, cause?: unknown): ForebayError {
  return new ForebayError('INVALID_DEFINITION', `The tenant of a record of ${name} ${what}.`, {
    cause,
    context: { store: name },
  });
}

function shown(value: unknown): string {
  return typeof value === 'string' ? `one of ${value.length}` : String(value);
}

/**
 * How many records of one tenant take a place in a lane's order from one batch to the next, where as many
 * places as `crowdedAt` are taken. Far less than a batch, so that all others are in the next one.
 */
export function shareOf({ batchRecordsMax, tenant }: LaneGroup): { share: number; crowdedAt: number } {
  if (tenant === undefined) return { share: 0, crowdedAt: 0 };
  return { share: Math.ceil(batchRecordsMax / 50), crowdedAt: Math.ceil(batchRecordsMax / 4) };
}
