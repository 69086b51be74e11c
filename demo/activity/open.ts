/** Opens the history that the demo replays: a recorded one, or a git repository's. */
import type { Activity } from './commit.js';
import { openActivityFile } from './file.js';
import { openRepository } from './git.js';

export type ActivitySource = { readonly activity: string } | { readonly repo: string };

/** @throws DemoError which says what is wrong with the file or repository */
export function openActivity(source: ActivitySource): Promise<Activity> {
  return 'activity' in source ? openActivityFile(source.activity) : openRepository(source.repo);
}
