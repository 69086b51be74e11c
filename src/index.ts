/**
 * `forebay`, for apps: define stores and keys, connect, read and write. The patterns by their names are in
 * `forebay/patterns`, the client that a process shares in `forebay/shared`, questions about Redis in
 * `forebay/health`, and what worker processes need in `forebay/worker`.
 */

export type { Patterns } from './app/bound-patterns.js';
export {
  type ConnectOptions,
  connect,
  type Forebay,
  type StoreClient,
  type StoreClients,
} from './app/connect.js';
export type { Backlog, BacklogCounts } from './buffer/backlog.js';
export type { CacheOptions } from './cache/cache.js';
export type { CacheService, Key } from './cache/cache-service.js';
export type { Explanation } from './cache/explain.js';
export type { LoadContext } from './cache/reading/loading.js';
export type { CacheStatistics } from './cache-statistics.js';
export type { DeadLetter, DeadLetters } from './client/dead-letters.js';
export type { Receipt } from './client/receipts/receipt.js';
export type { Change, Versioned } from './client/stores/compare-and-set.js';
export type { ComputedClient, WarmCounts } from './client/stores/computed-client.js';
export type { CounterClient } from './client/stores/counter-client.js';
export type { RecordClient } from './client/stores/record-client.js';
export type { Load, LoadMissing, ReadValueOptions } from './client/values/read.js';
export type { CachedValues } from './client/values/values.js';
export type { Writer } from './client/values/write-behind.js';
export type { WriteValueOptions } from './client/values/written-entry.js';
export type { WriteOptions } from './client/writing/write-options.js';
export { type Config, type RedisSettings, readConfig, requireDatabaseUrl } from './config.js';
export type { RedisHealth } from './connection/health.js';
export type { Database } from './database/database.js';
export {
  allOf,
  type CacheKey,
  type CacheKeyDefinition,
  type CacheKeyGenerators,
  type CachePattern,
  cacheKey,
  cacheKeys,
  partsOf,
  ttlOf,
} from './definitions/cache-key.js';
export {
  type ChangedRow,
  type ComputeContext,
  type ComputedDefinition,
  computed,
} from './definitions/computed.js';
export { type CounterDefinition, type CounterDelta, counter } from './definitions/counter.js';
export { DEFAULT_TTL } from './definitions/default-ttl.js';
export type { JsonValue } from './definitions/json-value.js';
export type { Model } from './definitions/model.js';
export {
  type Durability,
  type OnFull,
  type RecordBatch,
  type RecordDefinition,
  record,
  type Transaction,
} from './definitions/record.js';
export type { Serializer } from './definitions/serializer.js';
export { type Definitions, defineStores, type Stores } from './definitions/stores.js';
export { type WriterDefinition, type WriterRow, type WrittenValue, writer } from './definitions/writer.js';
export { type ErrorCode, ForebayError, isForebayError } from './errors.js';
export type { Emit, EventType, ForebayEvent } from './events.js';
export { redisSettings } from './redis-settings.js';
export type { CheckResult, Health, HealthReport } from './vitals/health.js';
