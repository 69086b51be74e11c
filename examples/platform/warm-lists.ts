/** Whose values are warmed, page by page. */
import type { ComputeContext, WarmRequest } from '../../src/definitions/computed.js';
import type { PrismaClient } from './generated/prisma/client.js';

type Context = ComputeContext<PrismaClient>;

const dayMs = 86_400_000;
const activeWithinMs = 7 * dayMs;

/** Users seen in the last 7 days, most recent first. */
export async function listActiveUsers({ after, limit }: WarmRequest, { prisma }: Context): Promise<string[]> {
  const users = await prisma.user.findMany({
    where: { lastSeenAt: { gte: new Date(Date.now() - activeWithinMs) } },
    select: { id: true },
    orderBy: [{ lastSeenAt: 'desc' }, { id: 'asc' }],
    take: limit,
    ...(after && { cursor: { id: after }, skip: 1 }),
  });
  return users.map(({ id }) => id);
}

/** Active projects, those changed most recently first. */
export async function listActiveProjects(
  { after, limit }: WarmRequest,
  { prisma }: Context,
): Promise<string[]> {
  const projects = await prisma.project.findMany({
    where: { status: 'ACTIVE' },
    select: { id: true },
    orderBy: [{ updatedAt: 'desc' }, { id: 'asc' }],
    take: limit,
    ...(after && { cursor: { id: after }, skip: 1 }),
  });
  return projects.map(({ id }) => id);
}

/** The one platform. */
export async function listPlatform({ after }: WarmRequest): Promise<string[]> {
  return after === undefined ? ['all'] : [];
}
