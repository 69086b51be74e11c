/** A server's INFO, read field by field. */
import type { RedisClient } from './client.js';
import { mastersOf } from './client.js';

export class ServerInfo {
  readonly #fields: ReadonlyMap<string, string>;

  constructor(text: string) {
    const lines = text.split(/\r?\n/).filter((line) => line.includes(':'));
    this.#fields = new Map(
      lines.map((line) => [line.slice(0, line.indexOf(':')), line.slice(line.indexOf(':') + 1)]),
    );
  }

  /** Undefined when the server does not tell. */
  text(field: string): string | undefined {
    return this.#fields.get(field);
  }

  /** 0 when the server does not tell. */
  number(field: string): number {
    const value = Number(this.#fields.get(field));
    return Number.isFinite(value) ? value : 0;
  }
}

/** Of a server, or of each master of a cluster. */
export async function readServerInfos(redis: RedisClient): Promise<ServerInfo[]> {
  return Promise.all(mastersOf(redis).map(async (master) => new ServerInfo(await master.info())));
}
