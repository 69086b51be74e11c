/** What forebay needs of Prisma's runtime: of Prisma 7, for 6 has these values otherwise, or not at all. */
import * as runtime from '@prisma/client/runtime/client';
import { ForebayError } from '../errors.js';

if (runtime.AnyNull === undefined) {
  throw new ForebayError(
    'INVALID_CONFIG',
    'forebay needs Prisma 7: install @prisma/client and @prisma/adapter-pg of version 7, and prisma of the same.',
  );
}

export const { AnyNull, DbNull, Decimal, JsonNull, isDbNull, isJsonNull } = runtime;
export type Decimal = runtime.Decimal;
