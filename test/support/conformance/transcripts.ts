/** The same verbs, of a random sequence, on two apps: each step has the same outcome on both. */
import { randomBytes } from 'node:crypto';
import fc from 'fast-check';
import { expect } from 'vitest';
import { createTestForebay } from '../../../src/testing/test-forebay.js';
import { type ConformanceApp, codeOf, conformanceStores } from './stores.js';

const id = fc.constantFrom('a', 'b', 'c');
const text = fc.constantFrom('', 'x', 'Ω"\\\n', '{"a":[1,}', ',"name":"y"');
const rowVerbs = [
  'put',
  'patch',
  'describe',
  'update',
  'delete',
  'count',
  'get',
  'getMany',
  'swap',
  'swap late',
  'evict',
  'refresh',
  'flush',
] as const;
const valueVerbs = [
  'set',
  'set tagged',
  'look',
  'setnx',
  'increment',
  'drop',
  'invalidate tag',
  'read',
  'write through',
  'find',
] as const;
const step = fc.record({
  verb: fc.constantFrom(...rowVerbs, ...valueVerbs),
  id,
  text,
  delta: fc.integer({ min: -9, max: 9 }),
});
type Step = typeof step extends fc.Arbitrary<infer S> ? S : never;

export async function expectSameTranscripts(app: ConformanceApp, numRuns: number): Promise<void> {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 5, maxLength: 40 }), async (steps) => {
      const memory = await createTestForebay(conformanceStores);
      const start = randomBytes(6).toString('hex');
      const [actual, expected] = [
        await transcriptOf(app, steps, start),
        await transcriptOf(memory, steps, start),
      ];
      await memory.close();
      expect(actual).toEqual(expected);
    }),
    { numRuns },
  );
}

async function transcriptOf(app: ConformanceApp, steps: readonly Step[], start: string): Promise<unknown[]> {
  const there = new Set<string>();
  const transcript: unknown[] = [];
  for (const step of steps) {
    const own = `${start}-${step.id}`;
    const outcome = await take(app, { ...step, own, isThere: there.has(own), start }).catch(codeOf);
    if (['put', 'swap'].includes(step.verb)) there.add(own);
    if (step.verb === 'delete') there.delete(own);
    transcript.push([step.verb, outcome]);
  }
  await app.flush();
  const ids = ['a', 'b', 'c'].map((one) => `${start}-${one}`);
  for (const one of ids) await app.stores.projects.evict(one);
  transcript.push((await app.stores.projects.getMany(ids)).map(seen), await app.stores.touches.getMany(ids));
  return transcript;
}

type Taken = Step & { readonly own: string; readonly isThere: boolean; readonly start: string };

async function take(app: ConformanceApp, step: Taken): Promise<unknown> {
  return (rowVerbs as readonly string[]).includes(step.verb) ? takeRows(app, step) : takeValues(app, step);
}

async function takeRows(app: ConformanceApp, { verb, own, text, delta, isThere }: Taken): Promise<unknown> {
  const { projects, touches } = app.stores;
  switch (verb) {
    case 'put':
      return void (await projects.put({ id: own, name: text }));
    case 'patch':
      return void (await projects.patch(own, { name: text }));
    case 'describe':
      return void (await projects.patch(own, { description: text, status: 'COMPLETED' }));
    case 'update':
      return (await projects.update(own, (row) => row && { ...row, name: `${row.name}+` }))?.store;
    case 'delete':
      return void (await projects.delete(own));
    case 'count':
      // Of a delta without a row nothing is promised.
      if (isThere) await touches.add(own, delta);
      return touches.get(own);
    case 'get':
      return seen(await projects.get(own));
    case 'getMany':
      return (await projects.getMany([own, `${own}-none`, own])).map(seen);
    case 'swap':
    case 'swap late': {
      // A flush may drop an entry that it finds outdated, and with it the version.
      await app.flush();
      const { row, version } = await projects.getVersioned(own);
      if (verb === 'swap late') await projects.put({ id: own, name: 'first' });
      await projects.putIf({ id: own, name: text }, { version });
      return seen(row);
    }
    case 'evict':
      return projects.evict(own);
    case 'refresh':
      return seen(await projects.refresh(own));
    default:
      return app.flush();
  }
}

async function takeValues(
  { cache, read, write }: ConformanceApp,
  { verb, own: key, start, text, delta }: Taken,
): Promise<unknown> {
  const tag = `${start}-tag`;
  switch (verb) {
    case 'set':
      return cache.set(key, delta % 2 === 0 ? delta : text);
    case 'set tagged':
      return cache.set(key, { text }, 60, { tags: [tag] });
    case 'look':
      return [await cache.get(key), await cache.exists(key), (await cache.explain(key)).state];
    case 'setnx':
      return cache.setnx(key, text);
    case 'increment':
      return cache.increment(key, delta);
    case 'drop':
      return cache.delete(key);
    case 'invalidate tag':
      return cache.invalidateTag(tag);
    case 'read':
      return read(key, async () => (delta < 0 ? null : text), { tags: [tag], graceMs: 1_000 });
    case 'write through':
      return write(key, text, async () => {
        if (delta < 0) throw new Error('refused');
      });
    default:
      return cache.invalidatePattern(`${start}-[ab]`);
  }
}

function seen(row: { name: string; description: string | null; status: string } | null): unknown {
  return row && { name: row.name, description: row.description, status: row.status };
}
