/** A history like one that git has, made from a seed: files that are created, changed and deleted, by a few authors. */
import type { Change, Commit } from '../../demo/activity/commit.js';
import { randomNumbers } from './random.js';

const folders = 40;
const authors = 12;
const filesMax = 6;
const startsAt = 1_700_000_000;

/** Endless. */
export function* madeActivity(seed: number): Generator<Commit> {
  const random = randomNumbers(seed);
  const upTo = (count: number): number => Math.floor(random() * count);
  const files: string[] = [];
  const change = (): Change => {
    const at = upTo(files.length);
    const draw = random();
    if (files.length < folders || draw < 0.3) {
      files.push(`folder-${upTo(folders)}/file-${files.length}`);
      return ['A', files.at(-1) as string];
    }
    const path = files[at] as string;
    if (draw > 0.9) files[at] = `${path}+`; // deleted: what comes in its place is another one
    return [draw > 0.9 ? 'D' : 'M', path];
  };
  for (let number = 0; ; number++) {
    yield {
      commit: `made-${number}`,
      at: startsAt + number,
      author: `author-${upTo(authors)}`,
      files: Array.from({ length: 1 + upTo(filesMax) }, change),
    };
  }
}
