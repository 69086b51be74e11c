#!/usr/bin/env node
/** The command `forebay`. */
import { statSync } from 'node:fs';
import { readConfig } from '../config.js';
import { main } from './main.js';

const interrupted = new AbortController();
// A second Ctrl-C ends it as usual.
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => interrupted.abort());

// As Prisma's projects and the workers' ecosystem file have it: what is set outside wins.
if (statSync('.env', { throwIfNoEntry: false })?.isFile()) process.loadEnvFile('.env');

process.exitCode = await main(process.argv.slice(2), {
  out: process.stdout,
  err: process.stderr,
  config: () => readConfig(),
  signal: interrupted.signal,
});
