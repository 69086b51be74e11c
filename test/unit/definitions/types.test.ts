/** The types that definitions carry, from a model to the typed stores of a connected app. */
import { describe, expectTypeOf, it } from 'vitest';
import {
  Project,
  type ProjectInput,
  type ProjectRow,
  Task,
  TeamMember,
  type TeamMemberRow,
} from '../../../examples/platform/generated/models.js';
import type { Forebay, StoreClient, StoreClients } from '../../../src/app/connect.js';
import type { CounterClient } from '../../../src/client/stores/counter-client.js';
import type { RecordClient } from '../../../src/client/stores/record-client.js';
import { type CounterDefinition, counter } from '../../../src/definitions/counter.js';
import { type RecordDefinition, record } from '../../../src/definitions/record.js';
import { defineStores } from '../../../src/definitions/stores.js';

interface Note {
  slug: string;
  stars: number;
}

const projects = record({ model: Project, counters: ['views', 'touches'] });
const members = record({ model: TeamMember });
const notes = record<Note, 'slug'>({ id: 'slug', load: async () => [], persist: async () => undefined });
const views = counter({ of: projects, field: 'views' });
const hits = counter({ load: async () => new Map(), persist: async () => undefined });

type Counted = 'views' | 'touches';

describe('record({ model, counters })', () => {
  it('omits the counters from rows and inputs', () => {
    expectTypeOf(projects).toEqualTypeOf<
      RecordDefinition<
        Omit<ProjectRow, Counted>,
        Omit<ProjectInput, Counted>,
        string,
        Pick<ProjectRow, Counted>,
        typeof Project,
        never
      >
    >();
  });

  it('omits the version', () => {
    const versioned = record({ model: Project, counters: ['touches'], version: 'views' });
    type Row = typeof versioned extends RecordDefinition<infer R, unknown, unknown, unknown> ? R : never;
    expectTypeOf<keyof Row>().toEqualTypeOf<Exclude<keyof ProjectRow, Counted>>();
    // @ts-expect-error: no such field
    record({ model: Project, version: 'stars' });
  });

  it('omits nothing without counters', () => {
    type Row<D> = D extends RecordDefinition<infer R, unknown, unknown, unknown> ? R : never;
    expectTypeOf<Row<typeof members>>().toEqualTypeOf<Omit<TeamMemberRow, never>>();
    expectTypeOf<keyof Row<typeof members>>().toEqualTypeOf<keyof TeamMemberRow>();
  });

  it('takes only names of fields as counters', () => {
    // @ts-expect-error: no such field
    record({ model: Project, counters: ['stars'] });
  });
});

describe('writeTogether(root, writes)', () => {
  const parts = record({ model: TeamMember, partitionBy: { projectId: projects } });
  const stores = defineStores({ projects, parts, views, hits, tasks: record({ model: Task }) });
  const together: Forebay<typeof stores.definitions>['writeTogether'] = async () => ({}) as never;

  it('takes writes of stores of one aggregate, each with what its store takes', () => {
    together('projects', [
      { store: 'projects', put: { name: 'a' } },
      { store: 'parts', patch: { role: 'LEAD' }, id: { projectId: 'a', userId: 'b' } },
      { store: 'parts', delete: { projectId: 'a', userId: 'b' }, version: 1n },
      { store: 'views', add: 1, id: 'a' },
    ]);
    // @ts-expect-error: a row of another store
    together('projects', [{ store: 'tasks', put: { projectId: 'a', title: 'b' } }]);
    // @ts-expect-error: a counter of none of its rows
    together('projects', [{ store: 'hits', add: 1, id: 'a' }]);
    // @ts-expect-error: no such field
    together('projects', [{ store: 'parts', patch: { rank: 1 }, id: { projectId: 'a', userId: 'b' } }]);
    // @ts-expect-error: an id of another store
    together('projects', [{ store: 'parts', delete: 'a' }]);
    // @ts-expect-error: it says nothing
    together('projects', [{ store: 'projects' }]);
  });

  it('takes a field of the id to partition by', () => {
    // @ts-expect-error: a field that is none of the id
    record({ model: TeamMember, partitionBy: { role: projects } });
  });
});

describe('counter({ of, field })', () => {
  it('carries the id of its record store and the type of its field', () => {
    expectTypeOf(views).toEqualTypeOf<CounterDefinition<string, bigint, typeof projects>>();
    expectTypeOf(counter({ of: projects, field: 'touches' })).toEqualTypeOf<
      CounterDefinition<string, number, typeof projects>
    >();
  });

  it("takes only its record store's counters", () => {
    // @ts-expect-error: a field, but none of the counters
    counter({ of: projects, field: 'name' });
    // @ts-expect-error: this record store has no counters
    counter({ of: members, field: 'role' });
    // @ts-expect-error: a record store without a model has none
    counter({ of: notes, field: 'stars' });
  });

  it('takes no options of lanes: it shares those of its record store', () => {
    // @ts-expect-error: partitions are the record store's
    counter({ of: projects, field: 'views', partitions: 2 });
  });
});

describe('counter({ model, field })', () => {
  it('carries the type of its field', () => {
    expectTypeOf(counter({ model: Project, field: 'views' })).toEqualTypeOf<
      CounterDefinition<string, bigint>
    >();
    expectTypeOf(counter({ model: Project, field: 'touches' })).toEqualTypeOf<
      CounterDefinition<string, number>
    >();
  });

  it('takes only fields that hold integers', () => {
    // @ts-expect-error: a text
    counter({ model: Project, field: 'name' });
  });
});

describe('the stores of a connected app', () => {
  const stores = defineStores({ projects, members, notes, views, hits });
  type Clients = StoreClients<(typeof stores)['definitions']>;

  it('are named and typed as they are defined', () => {
    expectTypeOf<keyof Clients>().toEqualTypeOf<'projects' | 'members' | 'notes' | 'views' | 'hits'>();
    expectTypeOf<Clients['notes']>().toEqualTypeOf<RecordClient<Note, Note, string>>();
    expectTypeOf<Clients['views']>().toEqualTypeOf<CounterClient<string, bigint>>();
    expectTypeOf<Clients['hits']>().toEqualTypeOf<CounterClient<string, bigint>>();
    expectTypeOf<StoreClient<{ kind: 'other' }>>().toEqualTypeOf<never>();
  });

  it('take inputs and ids, and give rows, of their model', () => {
    type Projects = Clients['projects'];
    expectTypeOf<Projects['put']>().parameter(0).toEqualTypeOf<Omit<ProjectInput, Counted>>();
    expectTypeOf<Projects['get']>().returns.resolves.toEqualTypeOf<Omit<ProjectRow, Counted> | null>();
    expectTypeOf<Clients['members']['delete']>()
      .parameter(0)
      .toEqualTypeOf<{ projectId: string; userId: string }>();
    expectTypeOf<Clients['views']['get']>().returns.resolves.toEqualTypeOf<bigint | null>();
    expectTypeOf<Clients['views']['getMany']>().returns.resolves.toEqualTypeOf<(bigint | null)[]>();
    expectTypeOf<Clients['views']['add']>().parameter(1).toEqualTypeOf<number | bigint | undefined>();
  });

  it('of rows do not count, and of counters do not put', () => {
    expectTypeOf<Clients['projects']>().not.toHaveProperty('add');
    expectTypeOf<Clients['views']>().not.toHaveProperty('put');
  });
});
