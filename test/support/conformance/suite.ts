/** What every app of forebay does, wherever its state is: in memory, on one Redis, in a cluster. One suite for all of them. */
import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { counters, rows } from './rows.js';
import { type ConformanceApp, refusalOf } from './stores.js';
import { expectSameTranscripts } from './transcripts.js';
import { values } from './values.js';

export interface Subject {
  readonly app: ConformanceApp;
  /** Closed while others go on. */
  another(): Promise<ConformanceApp>;
  close(): Promise<void>;
}

/** @param runs random sequences of verbs, each also run in memory */
export function describeConformance(where: string, open: () => Promise<Subject>, runs: number): void {
  describe(`an app ${where}`, () => {
    let subject: Subject;

    beforeAll(async () => {
      subject = await open();
    });

    afterAll(() => subject.close());

    it.each([...rows, ...counters, ...values])('%s', async (_, check) => {
      const start = randomBytes(6).toString('hex');
      await check(subject.app, (name) => `${start}-${name}`);
    });

    it('does, of any sequence of verbs, what the others do', () => expectSameTranscripts(subject.app, runs));

    it('refuses what is asked of it once it is closed', async () => {
      const app = await subject.another();
      await app.close();
      const refused = [
        app.stores.projects.put({ id: 'a', name: 'x' }),
        app.stores.projects.get('a'),
        app.cache.get('a'),
        app.flush(),
      ];
      expect(await Promise.all(refused.map(refusalOf))).toEqual(refused.map(() => 'CLOSED'));
    });
  });
}
