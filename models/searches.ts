/** What is searched: each model as it is, which must hold, and without each of its guards, which must fail. */

export interface Search {
  readonly model: 'lane' | 'lease';
  readonly what: string;
  /** Of the C preprocessor. */
  readonly defines: readonly string[];
  readonly mustHold: boolean;
}

const holds = (model: Search['model'], what: string, ...defines: string[]): Search => ({
  model,
  what,
  defines,
  mustHold: true,
});

const without = (model: Search['model'], guard: string, ...defines: string[]): Search => ({
  model,
  what: `without the guard ${guard}`,
  defines: [guard, ...defines],
  mustHold: false,
});

const small = ['WORKERS=2'];

export const searches: readonly Search[] = [
  holds('lane', '3 workers, 2 apps, a crash at any step'),
  holds('lane', 'Redis goes back in time', 'LOSS', 'WRITES=2', ...small),
  holds('lane', 'Redis goes back in time, and its clock too', 'LOSS', 'CLOCK_BACK', 'WRITES=2', ...small),
  without('lane', 'NO_LEDGER', ...small),
  without('lane', 'NO_ACK_NUMBER', ...small),
  without('lane', 'NO_ONE_BATCH', ...small),
  without('lane', 'NO_GROWTH', ...small),
  without('lane', 'NO_VOID', ...small),
  without('lane', 'NO_NEW_NUMBER', ...small),
  without('lane', 'NO_GENERATION', 'LOSS', 'WRITES=2', ...small),
  without('lane', 'NO_RAISE', 'LOSS', 'CLOCK_BACK', 'WRITES=2', ...small),
  holds('lease', '2 readers, 3 writers', 'READERS=2', 'WRITERS=3'),
  without('lease', 'NO_REVOKE'),
  without('lease', 'NO_TOKEN'),
  without('lease', 'TAG_AFTER'),
  without('lease', 'TAG_REUSED', 'READERS=2'),
];
