/** A Redis that notes what the disk has: its program with fsync-mark.c before its own libraries. */
import { execFile } from 'node:child_process';
import { chmod, mkdir, readdir, readFile, stat, truncate, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { reasonOf } from '../../dev/reason.js';
import { redisProgram } from '../../dev/services/redis-program.js';
import { VerifyError } from '../errors.js';
import type { Random } from '../random.js';

const source = fileURLToPath(new URL('fsync-mark.c', import.meta.url));

/** Compiles it, and puts a `redis-server` that uses it before others on the PATH of this process. */
export async function installFsyncMark(folder: string): Promise<void> {
  const real = await redisProgram(() => undefined);
  const bin = path.join(folder, 'bin');
  const library = path.join(bin, 'fsync-mark.so');
  await mkdir(bin, { recursive: true });
  try {
    await promisify(execFile)('cc', ['-O2', '-shared', '-fPIC', '-o', library, source, '-ldl', '-lpthread']);
  } catch (error) {
    throw new VerifyError(
      'PROGRAM_MISSING',
      `cc can't compile ${source}; install gcc: ${reasonOf(error)}`,
      error,
    );
  }
  const program = path.join(bin, path.basename(real));
  await writeFile(program, `#!/bin/sh\nLD_PRELOAD='${library}' exec '${real}' "$@"\n`);
  await chmod(program, 0o755);
  process.env.PATH = `${bin}${path.delimiter}${process.env.PATH ?? ''}`;
}

export interface Cut {
  /** Since when what was accepted may not be on the disk, in µs of the monotonic clock. */
  readonly fromUs: number;
  readonly bytes: number;
}

/** Cuts the append-only file of a Redis that was killed, at a byte behind its last fsync. */
export async function cutBehindFsync(folder: string, random: Random): Promise<Cut> {
  const files = path.join(folder, 'appendonlydir');
  const names = (await readdir(files)).filter((name) => name.endsWith('.incr.aof'));
  const file = path.join(files, names.toSorted(byNumber).at(-1) as string);
  const { ino, size } = await stat(file);
  const [inode, synced, fromUs] = (await readFile(path.join(folder, 'fsync.mark'), 'utf8'))
    .trim()
    .split(/\s+/)
    .map(Number) as [number, number, number];
  const kept = inode === ino ? random.integer(Math.min(synced, size), size) : size;
  await truncate(file, kept);
  return { fromUs, bytes: size - kept };
}

function byNumber(a: string, b: string): number {
  return numberOf(a) - numberOf(b);
}

function numberOf(name: string): number {
  return Number(/\.(\d+)\.incr/.exec(name)?.[1] ?? 0);
}
