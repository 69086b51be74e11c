/** Every code that `forebay check` can tell of, for its documentation. */
import type { Severity } from '../../connection/finding.js';
import { accessCodes } from './access.js';
import { clockCodes } from './clocks.js';
import { allPostgresRules, postgresCodes } from './postgres.js';
import { allRedisRules, awayCode } from './redis.js';

export interface CodeDoc {
  readonly code: string;
  readonly severity: Severity;
  readonly about: string;
}

export const checkCodes: readonly CodeDoc[] = [
  awayCode,
  ...allRedisRules,
  ...accessCodes,
  ...postgresCodes,
  ...allPostgresRules,
  ...clockCodes,
];
