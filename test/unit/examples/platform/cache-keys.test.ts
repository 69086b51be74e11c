import { describe, expect, expectTypeOf, it } from 'vitest';
import {
  ClientCacheKeys,
  DashboardCacheKeys,
  PlatformCacheKeys,
  ProjectCacheKeys,
  SessionCacheKeys,
  TaskCacheKeys,
  TeamCacheKeys,
  UserCacheKeys,
} from '../../../../examples/platform/cache-keys.js';
import type { UserProfile } from '../../../../examples/platform/values.js';
import { type CacheKey, ttlOf } from '../../../../src/definitions/cache-key.js';

const minute = 60;
const hour = 3_600;

describe('the platform’s keys', () => {
  it.each([
    ['K1', UserCacheKeys.profile('7'), 'user:profile:7', hour],
    ['K1', UserCacheKeys.full('7'), 'user:full:7', 5 * minute],
    ['K1', UserCacheKeys.projects('7'), 'user:projects:7', 15 * minute],
    ['K1', UserCacheKeys.tasks('7'), 'user:tasks:7', 5 * minute],
    ['K1', UserCacheKeys.dashboard('7'), 'user:dashboard:7', 5 * minute],
    ['K2', ProjectCacheKeys.details('7'), 'project:details:7', 30 * minute],
    ['K2', ProjectCacheKeys.full('7'), 'project:full:7', 5 * minute],
    ['K2', ProjectCacheKeys.tasks('7'), 'project:tasks:7', 5 * minute],
    ['K2', ProjectCacheKeys.team('7'), 'project:team:7', hour],
    ['K2', ProjectCacheKeys.stats('7'), 'project:stats:7', 15 * minute],
    ['K3', SessionCacheKeys.data('7'), 'session:data:7', 24 * hour],
    ['K3', SessionCacheKeys.userSessions('7'), 'session:userSessions:7', hour],
    ['K4', DashboardCacheKeys.overview('7'), 'dashboard:overview:7', 5 * minute],
    ['K4', DashboardCacheKeys.stats('7'), 'dashboard:stats:7', 5 * minute],
    ['K4', DashboardCacheKeys.activity('7'), 'dashboard:activity:7', 2 * minute],
    ['K5', TaskCacheKeys.details('7'), 'task:details:7', 5 * minute],
    ['K6', ClientCacheKeys.details('7'), 'client:details:7', hour],
    ['K7', TeamCacheKeys.members('7'), 'team:members:7', hour],
    ['K8', PlatformCacheKeys.statistics(), 'platform:statistics:all', 24 * hour],
  ])('%s %s', (_, key, text, ttl) => {
    expect(key).toBe(text);
    expect(ttlOf(key)).toBe(ttl);
  });

  it.each([
    ['K1', UserCacheKeys.allForUser('7'), 'user:*:7{,:*}'],
    ['K2', ProjectCacheKeys.allForProject('7'), 'project:*:7{,:*}'],
    ['K4', DashboardCacheKeys.allForUser('7'), 'dashboard:*:7{,:*}'],
  ])('%s has the pattern %s', (_, pattern, text) => {
    expect(pattern).toBe(text);
  });

  it('K are more than 50, in 8 namespaces', () => {
    const all = [
      UserCacheKeys,
      ProjectCacheKeys,
      SessionCacheKeys,
      DashboardCacheKeys,
      TaskCacheKeys,
      ClientCacheKeys,
      TeamCacheKeys,
      PlatformCacheKeys,
    ];
    expect(all.flatMap((namespace) => Object.keys(namespace)).length).toBeGreaterThanOrEqual(50);
  });

  it('K1 know the type of their values', () => {
    expectTypeOf(UserCacheKeys.profile('7')).toEqualTypeOf<CacheKey<UserProfile>>();
  });
});
