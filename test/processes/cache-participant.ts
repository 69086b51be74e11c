/** The child of cache-participant-process.ts. */

import { createPrisma } from '../../examples/platform/prisma.js';
import { connect } from '../../src/app/connect.js';
import { readConfig, requireDatabaseUrl } from '../../src/config.js';
import { defineStores } from '../../src/definitions/stores.js';
import { isForebayError } from '../../src/errors.js';
import { AppParticipant } from '../support/cache-participant.js';
import type { FromProcess, ParticipantOptions, Request, ToProcess } from './messages.js';

const { hasMemory, clockSkewMs } = JSON.parse(process.env.PARTICIPANT as string) as ParticipantOptions;
const trueNow = Date.now;
Date.now = () => trueNow() + clockSkewMs;

const config = readConfig();
const prisma = createPrisma(requireDatabaseUrl(config), { connections: 1, name: 'cache-participant' });
const app = await connect(defineStores({}), { prisma, config, cache: hasMemory ? {} : { l1: false } });
const participant = new AppParticipant(app, { hasMemory });
const answers = new Map<number, (value: number) => void>();
let questions = 0;

process.on('message', (message: ToProcess) => {
  if (message.kind === 'request') void serve(message.id, message.request);
  else answers.get(message.question)?.(message.value);
});
// Its parent is gone.
process.on('disconnect', () => process.exit());
send({ kind: 'ready' });

async function serve(id: number, request: Request): Promise<void> {
  try {
    send({ kind: 'done', id, value: await perform(request, () => ask(id)) });
  } catch (error) {
    send({ kind: 'failed', id, code: isForebayError(error) ? error.code : String(error) });
  }
}

async function perform(request: Request, database: () => Promise<number>): Promise<number | null> {
  if (request.kind === 'read') return participant.read(request.subject, request.way, database);
  if (request.kind === 'reachLoads') await participant.reachLoads();
  else await participant.change(request.subject, request.change, request.version, database);
  return null;
}

/** The answer may never come: the load is lost with the run that has begun it. */
function ask(id: number): Promise<number> {
  const question = ++questions;
  return new Promise((resolve) => {
    answers.set(question, (value) => {
      answers.delete(question);
      resolve(value);
    });
    send({ kind: 'question', id, question });
  });
}

function send(message: FromProcess): void {
  process.send?.(message);
}
