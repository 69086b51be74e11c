/** What an error of the database means for a batch. The shapes are those that Prisma 7 with adapter-pg was seen to throw. */
import { PrismaClientKnownRequestError } from '@prisma/client/runtime/client';
import { describe, expect, it, test } from 'vitest';
import { type FailureReason, failureReason, sqlStateOf } from '../../../src/database/database.js';
import { ForebayError } from '../../../src/errors.js';

type Cause = Record<string, unknown>;

const known = (code: string, meta: Cause, message = 'Raw query failed.'): Error =>
  new PrismaClientKnownRequestError(message, { code, meta, clientVersion: '7.10.0' });

/** A raw statement that Postgres, or the way to it, refused. */
const rawError = (cause: Cause, message?: string): Error =>
  known('P2010', { driverAdapterError: { name: 'DriverAdapterError', cause } }, message);

/** What a commit throws: the adapter's error itself. */
const adapterError = (cause: Cause): Error =>
  Object.assign(new Error(String(cause.kind), { cause }), { name: 'DriverAdapterError' });

const systemError = (code: string, message: string): Error => Object.assign(new Error(message), { code });

describe('a SQLSTATE', () => {
  test.each<[string, string, FailureReason]>([
    ['23503', 'foreign key whose parent may still come', 'not-yet'],
    ['23505', 'unique violation', 'refused'],
    ['23502', 'not null violation', 'refused'],
    ['23514', 'check violation', 'refused'],
    ['22001', 'text too long', 'refused'],
    ['22003', 'number out of range', 'refused'],
    ['22P02', 'invalid text', 'refused'],
    ['22P05', 'U+0000', 'refused'],
    ['42703', 'undefined column', 'unavailable'],
    ['42501', 'missing right', 'unavailable'],
    ['44000', 'check of a view', 'refused'],
    ['0A000', 'not supported', 'unavailable'],
    ['54000', 'a text too long for its index', 'refused'],
    ['21000', 'two ids that are one row', 'refused'],
    ['P0001', 'a trigger that raises an exception', 'refused'],
    ['08006', 'connection failure', 'unavailable'],
    ['25P03', 'idle in transaction too long', 'unavailable'],
    ['28P01', 'wrong password', 'unavailable'],
    ['3D000', 'no such database', 'unavailable'],
    ['40001', 'serialization failure', 'unavailable'],
    ['40P01', 'deadlock', 'unavailable'],
    ['53100', 'disk full', 'unavailable'],
    ['53300', 'too many connections', 'unavailable'],
    ['55P03', 'lock not available', 'unavailable'],
    ['57014', 'statement timeout', 'unavailable'],
    ['57P01', 'shutdown', 'unavailable'],
    ['58030', 'I/O error', 'unavailable'],
    ['XX000', 'internal error', 'unavailable'],
  ])('%s (%s) means %s', (originalCode, _, reason) => {
    expect(failureReason(rawError({ originalCode, kind: 'postgres' }))).toBe(reason);
  });

  it('is found where Prisma puts it', () => {
    expect(sqlStateOf(rawError({ originalCode: '23505' }))).toBe('23505');
    expect(sqlStateOf(known('P2010', { code: '23505' }))).toBe('23505');
    expect(sqlStateOf(known('P2010', { code: 'N/A' }))).toBeUndefined();
    expect(sqlStateOf(known('P2028', {}))).toBeUndefined();
    expect(sqlStateOf(new Error('x'))).toBeUndefined();
  });

  it('is found in the error of a commit, e.g. of a deferred constraint', () => {
    expect(
      failureReason(adapterError({ kind: 'ForeignKeyConstraintViolation', originalCode: '23503' })),
    ).toBe('not-yet');
    expect(failureReason(adapterError({ kind: 'UniqueConstraintViolation', originalCode: '23505' }))).toBe(
      'refused',
    );
  });
});

describe('the database is unavailable', () => {
  test.each(['P1000', 'P1001', 'P1003', 'P1008', 'P1017', 'P2024', 'P2028', 'P2034', 'P2037'])(
    'when Prisma says %s and there is no SQLSTATE',
    (code) => {
      expect(failureReason(known(code, {}, 'Something.'))).toBe('unavailable');
    },
  );

  test.each([
    ['DatabaseNotReachable', "Can't reach database server at 127.0.0.1:1"],
    ['SocketTimeout', 'Operation has timed out'],
    ['ConnectionClosed', 'Server has closed the connection.'],
    ['TlsConnectionError', 'Error opening a TLS connection: self-signed'],
  ])('when a statement fails with %s', (kind, text) => {
    expect(failureReason(rawError({ kind }, `Raw query failed. Code: \`N/A\`. Message: \`${text}\``))).toBe(
      'unavailable',
    );
  });

  test.each([
    systemError('ECONNREFUSED', 'connect ECONNREFUSED 127.0.0.1:5432'),
    systemError('ECONNRESET', 'read ECONNRESET'),
    systemError('EPIPE', 'write EPIPE'),
    systemError('EHOSTUNREACH', 'no route'),
    systemError('EAI_AGAIN', 'getaddrinfo EAI_AGAIN db'),
    new Error('Connection terminated unexpectedly'),
    new Error('timeout exceeded when trying to connect'),
    adapterError({ kind: 'ConnectionClosed' }),
  ])('when the driver throws %s', (error) => {
    expect(failureReason(error)).toBe('unavailable');
  });
});

describe('the rows are refused', () => {
  test.each<[string, unknown]>([
    ['a mistake of the persister', new TypeError('x is not a function')],
    ['an error of forebay', new ForebayError('INVALID_VALUE', 'Wrong.')],
    ['a missing argument', systemError('ERR_INVALID_ARG_TYPE', 'The argument must be a string')],
    ['a record that Prisma did not find', known('P2025', {}, 'No record was found.')],
    ['a text', 'no'],
    ['nothing', undefined],
  ])('by %s', (_, error) => {
    expect(failureReason(error)).toBe('refused');
  });
});
