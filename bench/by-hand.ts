/** What one writes by hand for many upserts: one INSERT … SELECT … FROM UNNEST … ON CONFLICT for many rows, by pg. */
import { Pool } from 'pg';
import type { Row, Table } from './write-behind/rows.js';

interface Column {
  readonly field: string;
  readonly name: string;
  readonly type: string;
}

const column = (field: string, type = 'text', name = field): Column => ({ field, name, type });

const columns: Readonly<Record<Table, readonly Column[]>> = {
  clients: [
    column('id'),
    column('name'),
    column('email'),
    column('createdAt', 'timestamptz', 'created_at'),
    column('updatedAt', 'timestamptz', 'updated_at'),
  ],
  tasks: [
    column('id'),
    column('projectId', 'text', 'project_id'),
    column('assigneeId', 'text', 'assignee_id'),
    column('title'),
    column('description'),
    column('status', 'task_status'),
    column('priority', 'task_priority'),
    column('dueAt', 'timestamptz', 'due_at'),
    column('completedAt', 'timestamptz', 'completed_at'),
    column('createdAt', 'timestamptz', 'created_at'),
    column('updatedAt', 'timestamptz', 'updated_at'),
  ],
};

export class ByHand {
  readonly #pool: Pool;

  constructor(databaseUrl: string) {
    const url = new URL(databaseUrl);
    const schema = url.searchParams.get('schema');
    url.searchParams.delete('schema');
    this.#pool = new Pool({
      connectionString: url.toString(),
      max: 1,
      options: `-c search_path="${schema}"`,
    });
  }

  /** All rows or none. */
  async upsert(table: Table, rows: readonly Row[], chunkRows: number): Promise<void> {
    const client = await this.#pool.connect();
    try {
      await client.query('BEGIN');
      for (let i = 0; i < rows.length; i += chunkRows) {
        await client.query(sqlOf(table), valuesOf(table, rows.slice(i, i + chunkRows)));
      }
      await client.query('COMMIT');
    } finally {
      client.release();
    }
  }

  async close(): Promise<void> {
    await this.#pool.end();
  }
}

function sqlOf(table: Table): string {
  const all = columns[table];
  const names = all.map(({ name }) => name);
  return `INSERT INTO ${table} (${names.join(', ')})
    SELECT * FROM unnest(${all.map(({ type }, i) => `$${i + 1}::${type}[]`).join(', ')})
    ON CONFLICT (id) DO UPDATE SET ${names
      .slice(1)
      .map((name) => `${name} = excluded.${name}`)
      .join(', ')}`;
}

function valuesOf(table: Table, rows: readonly Row[]): unknown[][] {
  return columns[table].map(({ field }) => rows.map((row) => row[field as keyof Row]));
}
