/** What a Redis server says of itself, as far as it tells. */
import type { ServerInfo } from './server-info.js';

export interface ServerFacts {
  readonly info: ServerInfo;
  readonly version: string;
  readonly policy: string | undefined;
  readonly isAppendOnly: boolean;
  /** What CONFIG GET told; undefined where it was not asked, or not allowed. */
  setting(name: string): string | undefined;
}

export function toServerFacts(info: ServerInfo, config: ReadonlyMap<string, string>): ServerFacts {
  const isAppendOnly =
    info.text('aof_enabled') === undefined
      ? config.get('appendonly') !== 'no'
      : info.text('aof_enabled') === '1';
  return {
    info,
    version: info.text('redis_version') ?? '',
    policy: info.text('maxmemory_policy') ?? config.get('maxmemory-policy'),
    isAppendOnly,
    setting: (name) => config.get(name),
  };
}
