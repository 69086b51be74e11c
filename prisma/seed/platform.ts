/**
 * A project-management platform's rows. Each is a function of its number, of the number of users and of "now",
 * so any row can be made, and referred to, without the others.
 */

import type { Prisma } from '../../examples/platform/generated/prisma/client.js';
import { type Random, randomFor } from './random.js';
import { companies, devices, firstNames, lastNames, things, trades, undertakings, verbs } from './words.js';

export interface Platform {
  readonly now: Date;
  readonly users: number;
  readonly clients: number;
  readonly projects: number;
  readonly tasks: number;
  readonly sessions: number;
  readonly activities: number;
}

const dayMs = 24 * 60 * 60 * 1000;

export function platformOf(users: number, now: Date): Platform {
  return {
    now,
    users,
    clients: Math.ceil(users / 8),
    projects: Math.ceil(users / 4),
    tasks: users * 8,
    sessions: Math.ceil(users * 1.5),
    activities: users * 15,
  };
}

function daysBefore(moment: Date, days: number): Date {
  return new Date(moment.getTime() - days * dayMs);
}

function numbered(kind: string, index: number): string {
  return `${kind}-${String(index + 1).padStart(6, '0')}`;
}

export function userRow(platform: Platform, index: number): Prisma.UserCreateManyInput {
  const random = randomFor('users', index);
  const [first, last] = [random.pick(firstNames), random.pick(lastNames)];
  const createdAt = random.between(daysBefore(platform.now, 800), daysBefore(platform.now, 400));
  const lastSeenAt = lastSeen(random, platform.now);
  return {
    id: numbered('user', index),
    email: `${first}.${last}.${index + 1}@example.invalid`.toLowerCase(),
    name: `${first} ${last}`,
    role: index === 0 ? 'ADMIN' : isManager(index) ? 'MANAGER' : 'MEMBER',
    lastSeenAt,
    createdAt,
    updatedAt: lastSeenAt ?? createdAt,
  };
}

/** Every tenth user, so that also the smallest platform has one. */
function isManager(index: number): boolean {
  return index % 10 === 0;
}

function lastSeen(random: Random, now: Date): Date | null {
  const span = random.weighted({ week: 45, quarter: 35, year: 12, never: 8 });
  if (span === 'never') return null;
  const [from, to] = { week: [7, 0], quarter: [90, 7], year: [365, 90] }[span] as [number, number];
  return random.between(daysBefore(now, from), daysBefore(now, to));
}

export function clientRow(platform: Platform, index: number): Prisma.ClientCreateManyInput {
  const random = randomFor('clients', index);
  const name = `${random.pick(companies)} ${random.pick(trades)}`;
  const createdAt = random.between(daysBefore(platform.now, 800), daysBefore(platform.now, 400));
  const email = `office@${name.replace(' ', '-').toLowerCase()}-${index + 1}.invalid`;
  return {
    id: numbered('client', index),
    name,
    email: random.chance(0.9) ? email : null,
    createdAt,
    updatedAt: createdAt,
  };
}

interface ProjectFacts {
  readonly row: Prisma.ProjectCreateManyInput & { id: string; createdAt: Date };
  /** Numbers of its users, each once, the manager first. */
  readonly team: readonly number[];
}

export function project(platform: Platform, index: number): ProjectFacts {
  const random = randomFor('projects', index);
  const { now } = platform;
  const createdAt = random.between(daysBefore(now, 380), daysBefore(now, 10));
  const team = teamOf(platform, random);
  const views = Math.floor(5_000 * random.next() ** 3);
  const row = {
    id: numbered('project', index),
    name: `${random.pick(undertakings)} ${index + 1}`,
    description: random.chance(0.7) ? `${random.pick(verbs)} ${random.pick(things)}, and more.` : null,
    status: random.weighted({ PLANNING: 10, ACTIVE: 60, ON_HOLD: 8, COMPLETED: 15, ARCHIVED: 7 }),
    clientId: random.chance(0.85) ? numbered('client', random.popular(platform.clients)) : null,
    managerId: random.chance(0.95) ? numbered('user', team[0] ?? 0) : null,
    startsAt: random.between(createdAt, now),
    dueAt: random.chance(0.8) ? new Date(createdAt.getTime() + random.integer(60, 500) * dayMs) : null,
    views,
    touches: Math.floor(views * random.next()),
    createdAt,
    updatedAt: random.between(createdAt, now),
  };
  return { row, team };
}

function teamOf(platform: Platform, random: Random): number[] {
  const manager = 10 * random.integer(0, Math.floor((platform.users - 1) / 10));
  const others = Array.from({ length: random.integer(2, 9) }, () => random.integer(0, platform.users - 1));
  return [...new Set([manager, ...others])];
}

export function teamRows(platform: Platform, index: number): Prisma.TeamMemberCreateManyInput[] {
  const { row, team } = project(platform, index);
  const random = randomFor('team_members', index);
  return team.map((user, place) => {
    const joinedAt = place === 0 ? row.createdAt : random.between(row.createdAt, platform.now);
    return {
      projectId: row.id,
      userId: numbered('user', user),
      role: place === 0 ? 'LEAD' : random.weighted({ MEMBER: 85, VIEWER: 15 }),
      joinedAt,
      updatedAt: joinedAt,
    };
  });
}

interface TaskFacts {
  readonly row: Prisma.TaskCreateManyInput & { id: string; createdAt: Date };
  /** Number of the user who works on it. */
  readonly actor: number;
}

export function task(platform: Platform, index: number): TaskFacts {
  const random = randomFor('tasks', index);
  const { now } = platform;
  const { row: parent, team } = project(platform, random.popular(platform.projects));
  const createdAt = random.between(parent.createdAt, now);
  const actor = team[random.integer(0, team.length - 1)] ?? 0;
  const status = random.weighted({ TODO: 30, IN_PROGRESS: 18, REVIEW: 7, DONE: 45 });
  const completedAt = status === 'DONE' ? random.between(createdAt, now) : null;
  const row = {
    id: numbered('task', index),
    projectId: parent.id,
    assigneeId: status !== 'TODO' || random.chance(0.7) ? numbered('user', actor) : null,
    title: `${random.pick(verbs)} ${random.pick(things)}`,
    description: random.chance(0.5) ? `Asked for by ${random.pick(companies)}.` : null,
    status,
    priority: random.weighted({ LOW: 20, MEDIUM: 50, HIGH: 22, URGENT: 8 }),
    dueAt: random.chance(0.75) ? new Date(createdAt.getTime() + random.integer(3, 90) * dayMs) : null,
    completedAt,
    touches: random.integer(1, 20),
    createdAt,
    updatedAt: completedAt ?? random.between(createdAt, now),
  };
  return { row, actor };
}

export function sessionRow(platform: Platform, index: number): Prisma.SessionCreateManyInput {
  const random = randomFor('sessions', index);
  const createdAt = random.between(daysBefore(platform.now, 10), platform.now);
  const token = Array.from({ length: 8 }, () => random.integer(0, 0xffff_ffff).toString(16).padStart(8, '0'));
  return {
    id: numbered('session', index),
    token: token.join(''),
    userId: numbered('user', random.popular(platform.users)),
    data: {
      device: random.pick(devices),
      theme: random.pick(['light', 'dark']),
      remember: random.chance(0.4),
    },
    expiresAt: new Date(createdAt.getTime() + 7 * dayMs),
    createdAt,
    updatedAt: createdAt,
  };
}

export function activityRow(platform: Platform, index: number): Prisma.ActivityCreateManyInput {
  const random = randomFor('activities', index);
  const { row: about, actor } = task(platform, random.popular(platform.tasks));
  const isDone = about.status === 'DONE';
  const kind = random.weighted({
    TASK_CREATED: 20,
    TASK_UPDATED: 55,
    TASK_COMPLETED: isDone ? 20 : 0,
    PROJECT_UPDATED: 5,
  });
  return {
    id: numbered('activity', index),
    kind,
    userId: numbered('user', actor),
    projectId: about.projectId,
    taskId: kind === 'PROJECT_UPDATED' ? null : about.id,
    at: momentOf(kind, about, random, platform.now),
    detail: kind === 'PROJECT_UPDATED' ? { field: 'dueAt' } : { title: about.title },
  };
}

function momentOf(kind: string, about: TaskFacts['row'], random: Random, now: Date): Date {
  if (kind === 'TASK_CREATED') return about.createdAt;
  if (kind === 'TASK_COMPLETED') return (about.completedAt as Date | null) ?? about.createdAt;
  return random.between(about.createdAt, now);
}
