/** A put that leaves fields to the row: what it takes from what is pending, and from the entry. */
import fc from 'fast-check';
import { Redis } from 'ioredis';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { WriteBuffer } from '../../../src/buffer/write-buffer.js';
import { createLane, seedLane } from '../../support/lane-state.js';
import { v } from '../../support/lane-step.js';

const field = 'projects:a';
const given = '^{"id":"a"\n\n,"made":"put"\n}';
const known = '{"id":"a","made":"old"}';
const patched = (json: string, ...lines: string[]) => `${json.slice(0, -1)}\n\n${lines.join('\n')}\n}`;
const taken = `^${patched('{"id":"a"}', ',"made":"old"')}`;

type Place = 'dirty' | 'sealed' | 'cached';

let redis: Redis;
let buffer: WriteBuffer;

beforeAll(() => {
  redis = new Redis(inject('redisUrl'));
  buffer = new WriteBuffer(redis, 'parts');
});

afterAll(() => redis.quit());

/** What becomes dirty of a put, behind its version. */
async function putOver(place: Place, content: string, payload: string): Promise<string> {
  const lane = createLane();
  await seedLane(redis, lane, {
    meta: { version: v(1), ...(place === 'sealed' ? { sealed: v(1) } : {}) },
    ...(place === 'dirty' ? { dirty: { [field]: content }, order: { [field]: v(1) } } : {}),
    ...(place === 'sealed' ? { sealed: { [field]: content } } : {}),
    ...(place === 'cached' ? { entries: { [field]: content } } : {}),
  });
  await buffer.write(lane, [{ op: 'put', field, payload }]);
  const dirty = await redis.hget(lane.keys.dirty, field);
  expect(await redis.get(lane.keys.entryPrefix + field)).toBe(place === 'cached' ? dirty : null);
  return dirty as string;
}

/** The record that is there, the mark of a put on top of it, and what comes of both while the record is pending. */
const cases: readonly [there: string, leaves: string, pending: string][] = [
  [`P${v(1)}|abc${known}`, ';!made', `P${v(2)}|abc${taken}`],
  [`P${v(1)}|abc;+made${known}`, ';!made', `P${v(2)}|abc${taken}`],
  [`P${v(1)}|abc;+name${known}`, ';!made', `P${v(2)}|abc;!made${taken}`],
  [`P${v(1)}|abc;+name^${patched(known, ',"name":"x"')}`, ';!made', `P${v(2)}|abc;!made${taken}`],
  [
    `P${v(1)}|abc;+made^${patched('{"id":"a","made":"x"}', ',"made":"old"')}`,
    ';!made',
    `P${v(2)}|abc${taken}`,
  ],
  [`P${v(1)}|abc;!made${known}`, ';!made', `P${v(2)}|abc;!made${taken}`],
  [`P${v(1)}|abc;!made,~code${known}`, ';!made,~code', `P${v(2)}|abc;!made,~code${taken}`],
  [`P${v(1)}|abc;!~code${known}`, ';!made,~code', `P${v(2)}|abc;!~code${taken}`],
  [`P${v(1)}|abc;+makes,remade${known}`, ';!made', `P${v(2)}|abc;!made${taken}`],
  [`R${v(1)}|abc${known}`, ';!made', `R${v(2)}|abc${taken}`],
  [`P${v(1)}|older${known}`, ';!made', `P${v(2)}|abc${taken}`],
  [`P${v(1)}|older{"id":"a"}`, ';!made', `P${v(2)}|abc;!made${given}`],
  [`D${v(1)}|`, ';!made', `R${v(2)}|abc;!made${given}`],
  [`P${v(1)}|abc;+made${known}`, '', `P${v(2)}|abc${given}`],
];

describe('a put that leaves fields', () => {
  it.each(cases)('over %s, with %j, takes the place of both', async (there, leaves, pending) => {
    expect(await putOver('dirty', there, `abc${leaves}${given}`)).toBe(pending);
    // What is sealed goes first: the row is there, or gone.
    const later = pending.replace(/^R/, 'P');
    expect(await putOver('sealed', there, `abc${leaves}${given}`)).toBe(later);
  });

  it.each(cases)(
    'over %s in the cache, with %j, shows what the row keeps',
    async (there, leaves, pending) => {
      const json = pending.slice(pending.search(/\^?\{/));
      expect(await putOver('cached', there, `abc${leaves}${given}`)).toBe(`P${v(2)}|abc${leaves}${json}`);
    },
  );

  it('knows nothing of a row that is not there, or that somebody loads', async () => {
    expect(await putOver('cached', '?token;w', `abc;!made${given}`)).toBe(`P${v(2)}|abc;!made${given}`);
    expect(await putOver('cached', '?token', `abc;!made${given}`)).toBe(`P${v(2)}|abc;!made${given}`);
  });

  const member = fc.tuple(fc.constantFrom('made', 'note', 'remade', 'code'), fc.jsonValue({ maxDepth: 3 }));
  it('finds them in any row, whatever its other members hold', async () => {
    const rows = fc.tuple(
      fc.array(member, { maxLength: 4 }).map((members) => ({ id: 'a', ...Object.fromEntries(members) })),
      fc.constantFrom('"made":', '\\"made\\":', '{"made":1}', '}],"made":"x"', '\\', '\n', ''),
    );
    const property = fc.asyncProperty(rows, fc.boolean(), async ([members, text], isPatched) => {
      const nested = [{ made: text, [text]: { made: 1 } }];
      const json = JSON.stringify({ note: text, nested, ...members });
      // JSON has no -0.
      const row: Record<string, unknown> = JSON.parse(json);
      const there = isPatched ? `;+x^${patched(json, ',"x":1')}` : json;
      const record = await putOver('cached', `P${v(1)}|abc${there}`, 'abc;!made{"id":"a"}');
      expect(JSON.parse(record.slice(record.indexOf('{')))).toEqual(
        'made' in row ? { id: 'a', made: row.made } : { id: 'a' },
      );
    });
    await fc.assert(property, { numRuns: 150 });
  });
});
