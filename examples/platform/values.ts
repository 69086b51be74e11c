/** Values that the platform caches besides its rows. */
import type {
  ActivityRow,
  ClientRow,
  ProjectRow,
  SessionRow,
  TaskRow,
  TeamMemberRow,
  UserRow,
} from './generated/models.js';

export type UserProfile = Pick<UserRow, 'id' | 'email' | 'name' | 'role' | 'lastSeenAt'>;

export interface UserFull extends UserRow {
  readonly projects: readonly ProjectSummary[];
  readonly openTasks: number;
}

export type ProjectSummary = Pick<ProjectRow, 'id' | 'name' | 'status' | 'dueAt'>;
export type TaskSummary = Pick<TaskRow, 'id' | 'title' | 'status' | 'priority' | 'dueAt' | 'projectId'>;

export interface ProjectDetails extends ProjectRow {
  readonly client: Pick<ClientRow, 'id' | 'name'> | null;
  readonly manager: Pick<UserRow, 'id' | 'name'> | null;
}

export interface ProjectFull extends ProjectDetails {
  readonly team: readonly TeamMember[];
  readonly statistics: ProjectStatistics;
}

export interface TeamMember extends Pick<TeamMemberRow, 'userId' | 'role' | 'joinedAt'> {
  readonly name: string;
}

export interface ProjectStatistics {
  readonly tasks: number;
  readonly done: number;
  readonly overdue: number;
  /** Done tasks as a share of all, from 0 to 1; 0 without tasks. */
  readonly completionRate: number;
}

export interface TaskCounts {
  readonly pending: number;
  readonly overdue: number;
  readonly done: number;
}

export interface Dashboard {
  readonly projects: number;
  readonly activeProjects: number;
  readonly tasks: TaskCounts;
}

export type Feed = readonly Pick<ActivityRow, 'id' | 'kind' | 'userId' | 'projectId' | 'taskId' | 'at'>[];
export type SessionData = Pick<SessionRow, 'id' | 'userId' | 'data' | 'expiresAt'>;

export interface PlatformStatistics {
  readonly users: number;
  readonly clients: number;
  readonly projects: number;
  readonly activeProjects: number;
  readonly tasks: number;
  /** Done tasks as a share of all, from 0 to 1; 0 without tasks. */
  readonly completionRate: number;
}
