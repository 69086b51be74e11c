#!/usr/bin/env node
/** The command `forebay`. */
import { statSync } from 'node:fs';
import { readConfig } from '../config.js';
import { main } from './main.js';

const interrupted = new AbortController();
let isHeeded = false;

/** For a command that ends in a way of its own; all others end at once, by the signal itself. */
function heed(): AbortSignal {
  if (!isHeeded) {
    isHeeded = true;
    // A second Ctrl-C ends it as usual.
    for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => interrupted.abort());
  }
  return interrupted.signal;
}

/** As a shell tells of what SIGPIPE has ended, which Node ignores. */
const noReaderCode = 141;

/** Whoever read the output reads no more: `forebay … | head`. @throws other errors of writing */
function endUnread(error: NodeJS.ErrnoException): void {
  if (error.code !== 'EPIPE') throw error;
  if (!isHeeded) process.exit(noReaderCode);
  interrupted.abort();
}

const outputs = [process.stdout, process.stderr];
for (const output of outputs) output.on('error', endUnread);

// As Prisma's projects and the workers' ecosystem file have it: what is set outside wins.
if (statSync('.env', { throwIfNoEntry: false })?.isFile()) process.loadEnvFile('.env');

const code = await main(process.argv.slice(2), {
  out: process.stdout,
  err: process.stderr,
  config: () => readConfig(),
  get signal() {
    return heed();
  },
});
await Promise.all(outputs.map((output) => new Promise((written) => output.write('', written))));
// A module of the user's, of --stores, may have left something open.
process.exit(code);
