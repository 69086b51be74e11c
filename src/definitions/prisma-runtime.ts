/**
 * What forebay needs of Prisma's runtime: of Prisma 7, for 6 has these values otherwise, or not at all. Of
 * its part for browsers, a tenth of it; by `require`, so that it is the same copy as the client's.
 */
import { createRequire } from 'node:module';
import type * as Runtime from '@prisma/client/runtime/index-browser';
import { ForebayError } from '../errors.js';

const runtime = load();

function load(): typeof Runtime {
  try {
    const found = createRequire(import.meta.url)('@prisma/client/runtime/index-browser') as typeof Runtime;
    if (found.AnyNull !== undefined) return found;
    throw new Error('@prisma/client is older');
  } catch (cause) {
    throw new ForebayError(
      'PEER_MISSING',
      'forebay needs Prisma 7. Run: npm install @prisma/client@7 @prisma/adapter-pg@7 prisma@7',
      { cause },
    );
  }
}

export const { AnyNull, DbNull, Decimal, JsonNull, isDbNull, isJsonNull } = runtime;
export type Decimal = Runtime.Decimal;
