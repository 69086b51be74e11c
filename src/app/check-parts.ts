/** What `connect` is given, and workers are: looked at before anything is opened. */
import { checkConfig } from '../config.js';
import type { Database } from '../database/database.js';
import type { Stores } from '../definitions/stores.js';
import { checkFunction, checkObject, notGiven } from '../given.js';
import type { ConnectOptions } from './connect.js';

/** @throws ForebayError INVALID_VALUE, INVALID_CONFIG */
export function checkParts(stores: Stores, options: ConnectOptions): void {
  checkStores(stores);
  checkObject('The options of connect', options);
  const { prisma, config, onEvent, trace } = options;
  checkDatabase(prisma, stores);
  if (config !== undefined) {
    checkObject('config', config);
    checkConfig(config);
  }
  if (onEvent !== undefined) checkFunction('onEvent', onEvent);
  if (trace !== undefined) checkFunction('trace', trace);
}

/** @throws ForebayError INVALID_VALUE */
export function checkStores(stores: Stores): void {
  if (!(stores?.byName instanceof Map)) throw notGiven('The stores', 'what `defineStores` gave', stores);
}

/** Not of values: they are loaded by what the app says. @throws ForebayError INVALID_VALUE */
export function checkDatabase(prisma: Database, { byName }: Stores): void {
  if (byName.size > 0) checkFunction('The $queryRawUnsafe of prisma', prisma?.$queryRawUnsafe);
}
