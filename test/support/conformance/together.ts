/** What is true of writes that belong together, wherever the app's state is. */
import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { Project, TeamMember, User } from '../../../examples/platform/generated/models.js';
import type { Forebay } from '../../../src/app/connect.js';
import { counter } from '../../../src/definitions/counter.js';
import { record } from '../../../src/definitions/record.js';
import { defineStores } from '../../../src/definitions/stores.js';
import { expectPersisted } from '../../../src/testing/expect-persisted.js';
import { refusalOf } from './stores.js';

const projects = record({ model: Project, counters: ['touches'], partitions: 2, delayMs: 1 });

export const togetherStores = defineStores({
  users: record({ model: User, delayMs: 1 }),
  projects,
  members: record({ model: TeamMember, partitionBy: { projectId: projects } }),
  touches: counter({ of: projects, field: 'touches' }),
});

export type TogetherApp = Forebay<(typeof togetherStores)['definitions']>;

export interface TogetherSubject {
  readonly app: TogetherApp;
  close(): Promise<void>;
}

export function describeTogether(where: string, open: () => Promise<TogetherSubject>): void {
  describe(`writes that belong together, of an app ${where}`, () => {
    let subject: TogetherSubject;
    let app: TogetherApp;
    let [project, user] = ['', ''];

    beforeAll(async () => {
      subject = await open();
      app = subject.app;
    });

    beforeEach(async () => {
      const start = randomBytes(6).toString('hex');
      [project, user] = [`${start}-p`, `${start}-u`];
      await app.stores.users.put({ id: user, email: `${start}@example.com`, name: 'Ada' });
    });

    afterAll(() => subject.close());

    const all = () =>
      [
        { store: 'projects', put: { id: project, name: 'one' } },
        { store: 'members', put: { projectId: project, userId: user } },
        { store: 'touches', id: project, add: 2 },
      ] as const;

    it('are read at once, and are in the database once they are persisted', async () => {
      const receipt = await app.writeTogether('projects', all());
      expect(receipt.lane).toMatch(/^projects\//);
      expect(await app.stores.projects.get(project)).toMatchObject({ name: 'one' });
      expect(await app.stores.members.get({ projectId: project, userId: user })).toMatchObject({
        role: 'MEMBER',
      });
      expect(await app.stores.touches.get(project)).toBe(2);
      await app.flush();
      await receipt.persisted();
      expect(await expectPersisted(app, 'members', { projectId: project, userId: user })).toMatchObject({
        role: 'MEMBER',
      });
      expect(await app.stores.touches.get(project)).toBe(2);
    });

    it('patch, delete and count, also rows that are not cached', async () => {
      await app.writeTogether('projects', all());
      await app.flush();
      await app.stores.projects.evict(project);
      await app.writeTogether('projects', [
        { store: 'projects', id: project, patch: { name: 'two' } },
        { store: 'members', delete: { projectId: project, userId: user } },
        { store: 'touches', id: project, add: -1 },
      ]);
      expect(await expectPersisted(app, 'projects', project)).toMatchObject({ name: 'two' });
      expect(await expectPersisted(app, 'members', { projectId: project, userId: user })).toBeNull();
      expect(await app.stores.touches.get(project)).toBe(1);
    });

    it('are all refused when one finds another version, or no row', async () => {
      await app.writeTogether('projects', all());
      const { version } = await app.stores.projects.getVersioned(project);
      const change = { store: 'members', put: { projectId: project, userId: user, role: 'LEAD' } } as const;
      const wrong = { store: 'projects', put: { id: project, name: 'two' }, version: version - 1n } as const;
      const none = {
        store: 'members',
        id: { projectId: project, userId: 'none' },
        patch: { role: 'LEAD' },
      } as const;
      const calls = [wrong, none].map((one) => app.writeTogether('projects', [change, one]));
      expect(await Promise.all(calls.map(refusalOf))).toEqual(['CONFLICT', 'ROW_MISSING']);
      expect(await app.stores.members.get({ projectId: project, userId: user })).toMatchObject({
        role: 'MEMBER',
      });
      await app.writeTogether('projects', [change, { ...wrong, version }]);
      expect(await expectPersisted(app, 'projects', project)).toMatchObject({ name: 'two' });
      expect(await expectPersisted(app, 'members', { projectId: project, userId: user })).toMatchObject({
        role: 'LEAD',
      });
    });

    it('are refused when they are of more than one, two of one record, or none', async () => {
      const other = { store: 'touches', id: `${project}2`, add: 1 } as const;
      const calls = [[...all(), other], [...all(), ...all()], []].map((writes) =>
        app.writeTogether('projects', writes),
      );
      expect(await Promise.all(calls.map(refusalOf))).toEqual([
        'ACROSS_AGGREGATES',
        'INVALID_VALUE',
        'INVALID_VALUE',
      ]);
      expect(await app.stores.projects.get(project)).toBeNull();
    });
  });
}
