/** The stores of the conformance suite, and what its specifications are. */
import { Project } from '../../../examples/platform/generated/models.js';
import type { Forebay } from '../../../src/app/connect.js';
import { cacheKey, cacheKeys } from '../../../src/definitions/cache-key.js';
import { computed } from '../../../src/definitions/computed.js';
import { counter } from '../../../src/definitions/counter.js';
import { record } from '../../../src/definitions/record.js';
import { defineStores } from '../../../src/definitions/stores.js';
import { writer } from '../../../src/definitions/writer.js';
import { isForebayError } from '../../../src/errors.js';

export const Keys = cacheKeys('conformance', {
  square: cacheKey<number>(60),
  note: cacheKey<{ text: string }>(60),
});

const projects = record({ model: Project, counters: ['views', 'touches'], partitions: 2, delayMs: 1 });

export const conformanceStores = defineStores({
  projects,
  touches: counter({ of: projects, field: 'touches' }),
  squares: computed({
    key: Keys.square,
    load: async (ids) => new Map(ids.filter((id) => Number(id) >= 0).map((id) => [id, Number(id) ** 2])),
  }),
  notes: writer<{ text: string }>({ keys: 'conformance:note', write: async () => undefined }),
});

export type ConformanceApp = Forebay<(typeof conformanceStores)['definitions']>;

/** An id, or a part of a key, that no other specification has. */
export type Own = (name: string) => string;
export type Specification = readonly [
  promise: string,
  check: (app: ConformanceApp, own: Own) => Promise<void>,
];

export const codeOf = (error: unknown): string => (isForebayError(error) ? error.code : String(error));
/** The code of the error; `accepted`: there was none. */
export const refusalOf = (call: Promise<unknown>): Promise<unknown> =>
  call.then(
    () => 'accepted',
    (error: unknown) => codeOf(error),
  );
