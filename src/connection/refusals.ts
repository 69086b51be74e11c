/**
 * What Redis's refusals mean: one table for reads and writes. A refusal is a reply that begins with a word;
 * where a script passes one on, the word stands further behind.
 */
import { ReplyError } from 'ioredis';
import { type ErrorCode, ForebayError, messageOf } from '../errors.js';

export interface Meaning {
  readonly code: ErrorCode;
  /** Whether the same call can succeed later. */
  readonly retryable: boolean;
  readonly advice: string;
  /** Whether the server does not let the connection in, so that nothing can be asked on it. */
  readonly isKeptOut: boolean;
  /** Whether it names another server. */
  readonly isRedirection?: true;
}

const refused = (retryable: boolean, advice: string): Meaning => ({
  code: 'REDIS_REFUSED',
  retryable,
  advice,
  isKeptOut: false,
});
const keptOut = (retryable: boolean, advice: string): Meaning => ({
  ...refused(retryable, advice),
  isKeptOut: true,
});

const redirection: Meaning = {
  ...refused(false, 'The server is part of a cluster: name its nodes in REDIS_CLUSTER_NODES.'),
  isRedirection: true,
};

const credentials = 'Check REDIS_USERNAME and REDIS_PASSWORD.';

const meanings: readonly (readonly [word: string, Meaning])[] = [
  [
    'READONLY',
    refused(true, 'The server is a replica now. Try again once its successor is known, or connect to that.'),
  ],
  ['LOADING', refused(true, 'The server has just started and reads its data. Try again later.')],
  ['MASTERDOWN', refused(true, 'The server is a replica that has lost its primary. Try again later.')],
  ['CLUSTERDOWN', refused(true, 'A part of the cluster is away. Try again later.')],
  ['TRYAGAIN', refused(true, 'The cluster is moving the keys to another server. Try again.')],
  [
    'BUSY',
    refused(true, 'A script has been running for too long. Try again later, or end it with SCRIPT KILL.'),
  ],
  ['MISCONF', refused(true, "The server can't save its data. Look into its log and at its disk.")],
  ['NOREPLICAS', refused(true, 'The server wants more replicas than it has (min-replicas-to-write).')],
  [
    'OOM',
    {
      ...refused(
        true,
        "Its memory limit is reached. Let the workers drain the backlog, raise maxmemory, or shorten the entries' life.",
      ),
      code: 'REDIS_OUT_OF_MEMORY',
    },
  ],
  ['MOVED', redirection],
  ['ASK', redirection],
  ['NOPERM', refused(false, 'Give the rights to its user (REDIS_USERNAME).')],
  ['NOAUTH', keptOut(false, credentials)],
  ['WRONGPASS', keptOut(false, credentials)],
  ['DENIED', keptOut(false, 'Give the server a password (requirepass), or bind it to loopback.')],
  ['max number of clients reached', keptOut(true, 'Raise maxclients, or close connections.')],
];

/** ioredis gives up after so many redirections: a server that redirects has executed nothing. */
const redirectedForTooLong = /^Too many Cluster redirections\. Last error: ReplyError: /;
const isMoving = refused(true, 'The cluster is moving the keys to another server. Try again.');

const otherMeaning = refused(false, 'Check the server and the rights of its user.');

/** Whether the server itself has answered, with a refusal. */
export function isReplyError(error: unknown): error is Error {
  return error instanceof Error && (error.name === 'ReplyError' || redirectedForTooLong.test(error.message));
}

/** Of a command that no server has got, or that the last one which got it has refused. */
export class NotSent extends Error {
  override readonly name = 'NotSent';

  constructor(cause: unknown) {
    super(messageOf(cause), { cause });
  }
}

/** Whether the connection was down, before anything was sent. */
export function isNotSent(error: unknown): boolean {
  return error instanceof NotSent || messageOf(error).includes('enableOfflineQueue');
}

/** What ioredis says of a call whose connection broke, or brought nothing. */
const unanswered =
  /^(Connection is closed\.|Command timed out|Command aborted|Socket timeout|Reached the max retries)/;

/** Whether a call to Redis failed, rather than what was made of its answer. */
export function isOfRedis(error: unknown): boolean {
  return isReplyError(error) || isNotSent(error) || unanswered.test(messageOf(error));
}

/** Whether the server does not let the connection in. */
export function isKeptOut(error: unknown): boolean {
  return meaningOf(error)?.isKeptOut ?? false;
}

/** What a refused call is told as. */
export function toRefusal(what: 'call' | 'write', cause: Error): ForebayError {
  const { code, retryable, advice } = meaningOf(cause) ?? otherMeaning;
  return new ForebayError(code, `Redis refused the ${what}: ${wordsOf(cause)}. ${advice}`, {
    retryable,
    cause,
  });
}

/** For what a script has passed on as a value. */
export function refusalOf(words: string): ForebayError {
  return toRefusal('call', new ReplyError(words));
}

/** For a call that was not made, or got no answer: with what is known of the reason. */
export function toUnavailable(what: string, cause: unknown): ForebayError {
  const { retryable, advice } = meaningOf(cause) ?? { retryable: true, advice: 'Try again later.' };
  const reason = cause === undefined || isNotSent(cause) ? '' : ` (${wordsOf(cause)})`;
  return new ForebayError('REDIS_UNAVAILABLE', `${what}${reason}. ${advice}`, { retryable, cause });
}

/** Without what Redis adds where a script passes a refusal on. */
function wordsOf(cause: unknown): string {
  const words = messageOf(cause).replace(/ script: \w+, on @\S+?(?=\.?$)/, '');
  return words.replace(/^ERR (?=[A-Z]{3,} )/, '').replace(/\.$/, '');
}

/** Undefined for what is no refusal, or one that has no word of its own. */
export function meaningOf(error: unknown): Meaning | undefined {
  if (!isReplyError(error)) return undefined;
  const meaning = meanings.find(([word]) => new RegExp(`(^|[ :-])${word}\\b`).test(error.message))?.[1];
  return meaning?.isRedirection && redirectedForTooLong.test(error.message) ? isMoving : meaning;
}
