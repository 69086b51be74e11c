/** What `connect` is given: looked at before anything is opened. */
import { checkConfig } from '../config.js';
import type { Stores } from '../definitions/stores.js';
import { checkFunction, checkObject, notGiven } from '../given.js';
import type { ConnectOptions } from './connect.js';

/** @throws ForebayError INVALID_VALUE, INVALID_CONFIG */
export function checkParts(stores: Stores, options: ConnectOptions): void {
  if (!(stores?.byName instanceof Map)) throw notGiven('The stores', 'what `defineStores` gave', stores);
  checkObject('The options of connect', options);
  const { prisma, config, onEvent, trace } = options;
  // Values are loaded by what the app says.
  if (stores.byName.size > 0) checkFunction('The $queryRawUnsafe of prisma', prisma?.$queryRawUnsafe);
  if (config !== undefined) {
    checkObject('config', config);
    checkConfig(config);
  }
  if (onEvent !== undefined) checkFunction('onEvent', onEvent);
  if (trace !== undefined) checkFunction('trace', trace);
}
