/** The rows behind the pages that are asked for: a project with its client and manager, and its tasks. */
import type { PrismaClient } from '../../examples/platform/generated/prisma/client.js';

export const tasksPerProject = 8;

export async function insertPageRows(prisma: PrismaClient, ids: readonly string[]): Promise<void> {
  await prisma.client.create({ data: { id: 'client', name: 'A client' } });
  await prisma.user.create({ data: { id: 'manager', name: 'A manager', email: 'm@example.invalid' } });
  await prisma.$executeRaw`
    INSERT INTO projects (id, name, description, client_id, manager_id, updated_at)
    SELECT id, 'Project ' || id, repeat('What it is about. ', 15), 'client', 'manager', now()
    FROM unnest(${[...ids]}::text[]) AS id`;
  await prisma.$executeRaw`
    INSERT INTO tasks (id, project_id, title, status, updated_at)
    SELECT p.id || '-' || i, p.id, 'Task ' || i, (ARRAY['TODO', 'DONE'])[1 + i % 2]::task_status, now()
    FROM projects AS p, generate_series(1, ${tasksPerProject}::int) AS i`;
  await prisma.$executeRaw`ANALYZE projects, tasks`;
}
