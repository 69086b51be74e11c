/** Somebody types into a task for a while, with a heartbeat beside it; a colleague sets its state meanwhile, from another process. */
import { connect, readConfig, requireDatabaseUrl } from 'forebay';
import { createPrisma } from '../platform/prisma.js';
import { stores } from './stores.js';

const text = 'The quay needs new planks before the winter. Ask the harbour master for the plan.';

const prisma = createPrisma(requireDatabaseUrl(readConfig()), { name: 'autosave', connections: 4 });
const [editor, colleague] = [await connect(stores, { prisma }), await connect(stores, { prisma })];

await editor.stores.users.put({ id: 'ada', name: 'Ada', email: 'ada@example.org' });
await editor.stores.projects.put({ id: 'quay', name: 'Quay' });
await editor.stores.tasks.put({ id: 'planks', projectId: 'quay', title: 'Planks' });

// Each key that is pressed saves the text: one column, and no other.
for (let end = 1; end <= text.length; end++) {
  await editor.stores.tasks.patch('planks', { description: text.slice(0, end) });
  if (end === 40) await colleague.stores.tasks.patch('planks', { status: 'IN_PROGRESS', assigneeId: 'ada' });
  if (end % 10 === 0) await editor.stores.users.patch('ada', { lastSeenAt: new Date() });
}

// Whoever reads sees both, before any of it is in the database.
const seen = await colleague.stores.tasks.get('planks');
await editor.flush();
const row = await prisma.task.findUniqueOrThrow({ where: { id: 'planks' } });
const { lastSeenAt } = await prisma.user.findUniqueOrThrow({ where: { id: 'ada' } });

process.stdout.write(
  `${JSON.stringify({
    saves: text.length,
    isSeenWhole: seen?.description === text && seen.status === 'IN_PROGRESS',
    row: { description: row.description, status: row.status, assigneeId: row.assigneeId },
    isPresent: lastSeenAt !== null,
  })}\n`,
);
await editor.close();
await colleague.close();
await prisma.$disconnect();
