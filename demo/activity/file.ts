/** Reads an activity file: one commit as JSON a line, oldest first, gzipped or not. */
import { type FileHandle, open } from 'node:fs/promises';
import type { Readable } from 'node:stream';
import { createGunzip } from 'node:zlib';
import type { z } from 'zod';
import { reasonOf } from '../../dev/reason.js';
import { DemoError } from '../errors.js';
import { type Activity, type Commit, commitSchema } from './commit.js';

/** Longest line, in characters: a file without line ends must not fill the memory. */
const lineCharactersMax = 64 * 1024 * 1024;
const lineForm =
  'A line is {"commit": "…", "at": seconds, "author": "…", "files": [["A", "M" or "D", "path"], …]}.';

/** @throws DemoError ACTIVITY_MISSING; and while it is read, ACTIVITY_BROKEN with the number of the line */
export async function openActivityFile(path: string): Promise<Activity> {
  const isGzipped = await looksGzipped(path);
  return { description: `the recorded history ${path}`, commits: () => readCommits(path, isGzipped) };
}

async function looksGzipped(path: string): Promise<boolean> {
  let file: FileHandle | undefined;
  try {
    file = await open(path);
    if (!(await file.stat()).isFile()) throw new Error('it is not a file');
    const { buffer, bytesRead } = await file.read(Buffer.alloc(2), 0, 2, 0);
    return bytesRead === 2 && buffer[0] === 0x1f && buffer[1] === 0x8b;
  } catch (error) {
    throw new DemoError(
      'ACTIVITY_MISSING',
      `Can't read the activity file: ${reasonOf(error)}. Check --activity ${path}.`,
      error,
    );
  } finally {
    await file?.close();
  }
}

async function* readCommits(path: string, isGzipped: boolean): AsyncGenerator<Commit> {
  let line = 0;
  try {
    for await (const text of readLines(path, isGzipped)) {
      line += 1;
      if (text.trim() !== '') yield parseCommit(text, `Line ${line} of ${path}`);
    }
  } catch (error) {
    if (error instanceof DemoError) throw error;
    const message = `${path} can't be read beyond line ${line}: ${reasonOf(error)}. Get a whole copy of the file.`;
    throw new DemoError('ACTIVITY_BROKEN', message, error);
  }
}

async function* readLines(path: string, isGzipped: boolean): AsyncGenerator<string> {
  let rest = '';
  for await (const chunk of (await openText(path, isGzipped)) as AsyncIterable<string>) {
    const lines = (rest + chunk).split('\n');
    rest = lines.pop() ?? '';
    yield* lines;
    if (rest.length > lineCharactersMax)
      throw new Error(`a line has more than ${lineCharactersMax} characters`);
  }
  if (rest !== '') yield rest;
}

async function openText(path: string, isGzipped: boolean): Promise<Readable> {
  const source = (await open(path)).createReadStream();
  if (!isGzipped) return source.setEncoding('utf8');
  const unzipped = source.pipe(createGunzip());
  source.on('error', (error) => unzipped.destroy(error));
  unzipped.on('close', () => source.destroy());
  return unzipped.setEncoding('utf8');
}

function parseCommit(text: string, where: string): Commit {
  const broken = (reason: string, cause: unknown): DemoError =>
    new DemoError('ACTIVITY_BROKEN', `${where} is broken: ${reason}. ${lineForm}`, cause);
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw broken(reasonOf(error), error);
  }
  const result = commitSchema.safeParse(value);
  if (result.success) return result.data;
  throw broken(result.error.issues.map(issueText).join('; '), result.error);
}

function issueText({ path, message }: z.core.$ZodIssue): string {
  return path.length === 0 ? message : `${path.join('.')}: ${message}`;
}
