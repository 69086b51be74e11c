/** What a page of a project needs from the database, in the platform's own loaders. */

import type { PrismaClient } from '../../examples/platform/generated/prisma/client.js';
import { loadProjectDetails, loadProjectStatistics } from '../../examples/platform/loaders.js';

/** JSON by hand knows no BigInt, so `views` is a number. */
export type Page = { readonly id: string; readonly tasks: number; readonly views: number };

/** A project with its client and manager, and its tasks counted: four queries, as Prisma reads relations by one each. */
export async function loadPage(id: string, prisma: PrismaClient): Promise<Page> {
  const [page] = await loadPages([id], prisma);
  if (page === undefined) throw new Error(`There is no project ${id}`);
  return page;
}

/** Those that exist. */
export async function loadPages(ids: readonly string[], prisma: PrismaClient): Promise<Page[]> {
  const context = { prisma, signal: new AbortController().signal };
  const [details, statistics] = await Promise.all([
    loadProjectDetails(ids, context),
    loadProjectStatistics(ids, context),
  ]);
  return ids.flatMap((id) => {
    const [project, counts] = [details.get(id), statistics.get(id)];
    if (project === undefined || counts === undefined) return [];
    return [{ ...project, ...counts, views: Number(project.views) }];
  });
}
