/** What is wrong with a server, what comes of it, and what mends it; and rules that find it. */

/**
 * `fatal`: forebay does not start. `error`: accepted writes can be lost, or are not taken. `warning`: works,
 * and could be better.
 */
export type Severity = 'fatal' | 'error' | 'warning';

/** Where a line that mends something is to be given. */
export type MendPlace = 'redis-cli' | 'SQL' | 'environment' | 'shell' | 'file';

export interface Mend {
  readonly at: MendPlace;
  /** To be given as it is, e.g. `CONFIG SET maxmemory-policy noeviction`. */
  readonly line: string;
}

export interface Finding {
  /** Stays the same over releases. */
  readonly code: string;
  readonly severity: Severity;
  /** What is wrong, without a full stop. */
  readonly what: string;
  /** What comes of it. */
  readonly consequence: string;
  readonly mend: Mend;
}

/** A finding without what its rule knows. */
export type Found = Omit<Finding, 'code' | 'severity'>;

export interface Rule<Facts> {
  readonly code: string;
  readonly severity: Severity;
  /** For the documentation. */
  readonly about: string;
  find(facts: Facts): Found | readonly Found[] | undefined;
}

export function findingsOf<Facts>(rules: readonly Rule<Facts>[], facts: Facts): Finding[] {
  return rules.flatMap(({ code, severity, find }) =>
    [find(facts) ?? []].flat().map((found) => ({ code, severity, ...found })),
  );
}

export function redisCli(line: string): Mend {
  return { at: 'redis-cli', line };
}

export function configSet(name: string, value: string | number): Mend {
  const text = String(value);
  return redisCli(`CONFIG SET ${name} ${/^[^\s"]+$/.test(text) ? text : `"${text}"`}`);
}

export function sql(line: string): Mend {
  return { at: 'SQL', line };
}

export function environment(line: string): Mend {
  return { at: 'environment', line };
}

export function shell(line: string): Mend {
  return { at: 'shell', line };
}
