/** Mutations of the protocol, each of which the simulator must find. */
import type { Patch } from './tree.js';

export interface Mutation extends Patch {
  readonly name: string;
}

function of(
  file: string,
  list: readonly (readonly [name: string, find: string, replace: string])[],
): Mutation[] {
  return list.map(([name, find, replace]) => ({ name, file, find, replace }));
}

const lua = (script: string): string => `src/buffer/lua/${script}.lua`;

export const mutations: readonly Mutation[] = [
  ...of('src/database/apply.ts', [
    ['ledger off', '...proof, ...told)) === 0', '...proof, ...told)) === 2'],
    ['a void batch counts as applied', '...key)).length > 0', '...key)).length > 1'],
    ['a batch is split although it was applied', 'if (voided === 0 &&', 'if (voided === 2 &&'],
  ]),
  ...of(lua('ack'), [
    ['ack without number', "if redis.call('HGET', meta, 'sealed') ~= number then return 0 end", ''],
    ['ack leaves the sealed records', "redis.call('UNLINK', sealed)\n", ''],
    [
      'ack leaves the number',
      "'HDEL', meta, 'sealed', 'since', 'failures'",
      "'HDEL', meta, 'since', 'failures'",
    ],
    ['ack forgets what waited', "redis.call('EXISTS', waiting) == 1", 'false'],
    ['ack ends the wait of what waits again', 'if not place then ended', 'if true then ended'],
  ]),
  ...of(lua('seal'), [
    ['seal takes while sealed', 'if known[1] then', 'if false then'],
    ['seal gives an old number', 'nextNumber(known[2], now), floor + 1', 'tonumber(known[2]) or 1, 1'],
    ['seal without comparison', "compared ~= '' and compared ~= generation", 'false'],
    ['seal forgets the bytes', 'bytes = bytes - movedBytes', ''],
    ['watermark of a batch too high', 'return oldest and text(oldest - 1) or known[5]', 'return known[5]'],
    ['the mark stays when the lane is empty', "redis.call('HDEL', meta, 'due')\n", ''],
    ['what is due is never sealed', 'local isDue = due and', 'local isDue = false and'],
  ]),
  ...of(lua('claim'), [
    [
      'claim looks past what is pending',
      "redis.call('HGET', dirty, field) or redis.call('HGET', sealed, field)",
      'false',
    ],
    ['claim looks past what is sealed', " or redis.call('HGET', sealed, field)", ''],
  ]),
  ...of(lua('claim-counter'), [
    ['a counter looks past what is sealed', "redis.call('HGET', sealed, field) or '',", "'',"],
  ]),
  ...of(lua('fill'), [['fill without lease', 'local isHeld = holder == token', 'local isHeld = true']]),
  ...of('src/buffer/write/places.lua', [
    ["a tenant's record waits without saying so", '  waitAs(field, field, version)\n', ''],
  ]),
  ...of('src/buffer/write/counters.lua', [
    [
      "a tenant's delta does not wait behind its row",
      "isLate(i) and not (records[row] or redis.call('HEXISTS', dirty, row) == 1)",
      'isLate(i)',
    ],
    ['a delta ignores that its row waits', 'local due = hasRetries and', 'local due = false and'],
    ['a delta takes no place', ' else placeDelta(i, row, version) end', ' end'],
    ['an add leaves the entry', '  addToEntry(KEYS[i], delta)\n', ''],
  ]),
  ...of('src/buffer/write/writes.lua', [
    [
      'a write leaves the lease',
      "local isThere = redis.call('EXISTS', unpack(entries)) > 0",
      'local isThere = false',
    ],
    ['a delete keeps the deltas', 'if deletedRow then forget(i, deletedRow) end', ''],
    ['a letter outlives its row', "elseif hasDead and isAccepted and op ~= 'a' then", 'elseif false then'],
    ['nobody is woken', '    replies[1] = 1\n', ''],
    ['a write promises nothing', 'if not known[2] then', 'if false then'],
    ['versions stand still', 'nextVersion = nextVersion + 1', 'nextVersion = nextVersion'],
    ['write forgets the bytes', "'bytes', bytes)", "'bytes', 0)"],
  ]),
  ...of('src/buffer/write/rows.lua', [
    ['a put over a delete is a put', '(pending == DELETE or pending == REPLACE) and REPLACE or PUT', 'PUT'],
    ['a put over a replacement is a put', 'pending == DELETE or pending == REPLACE', 'pending == DELETE'],
    [
      'a put-if compares nothing',
      "if found ~= version then return found and 'conflict ' .. found or 'conflict' end",
      '',
    ],
  ]),
  ...of('src/buffer/write/letters.lua', [
    ['a newer put drops the deltas of a letter', "isPut and redis.call('HGETALL', letter) or {}", '{}'],
    ['supersede places deltas at the version of the put', "'LT', since, counter", "'LT', version, counter"],
  ]),
  ...of(lua('split'), [
    ['split without number', "if known[1] ~= number then return {'late'} end", ''],
    ['split forgets a delta', "  redis.call('HINCRBY', dirty, part.field, record)\n", ''],
    [
      'split keeps the deltas of a deleted row',
      'if part.newerRow == DELETE or part.newerRow == REPLACE then\n    if part.anchor',
      'if false then\n    if part.anchor',
    ],
    ['merge forgets the replacement', 'kindOf(newer) == PUT and kindOf(record) ~= PUT', 'false'],
    [
      'split puts the old record over the new',
      'if newer then mergeRecord(part, record, newer)',
      'if false then',
    ],
    ['a delta goes before its row', 'text(place - 1), part.row', 'text(place + 1), part.row'],
    [
      'split leaves the number',
      'local nextNumber = text(nextNumber(known[2], now))',
      'local nextNumber = number',
    ],
    ['split drops a refused record', '  else putBack(part, record) end', '  end'],
    ['a deletion leaves the place of its deltas', ' else inheritPlace(part) end', ' end'],
    ['split forgets the bytes', '  bytes = bytes + #record\n', ''],
  ]),
  ...of(lua('raise'), [
    ['raise does not raise', "redis.call('HSET', meta, 'batch', floor)\n", ''],
    [
      'a lane counts as cleared though it went back since',
      'if cleared ~= generation then',
      "if cleared == '' then",
    ],
    ['raise without clearing', "if cleared ~= generation then return {'behind', generation, number} end", ''],
  ]),
  ...of(lua('wake'), [['a quiet mark counts as alive', 'aheadMs > -quietMs and', '']]),
  ...of(lua('renew'), [
    [
      'a mark is renewed by who is late',
      "if redis.call('HGET', meta, 'sealed') ~= number then return 0 end",
      '',
    ],
  ]),
  ...of('src/buffer/row-text.lua', [
    ['an update of what waits writes only its own', 'local mark = changed and', 'local mark = false and'],
  ]),
  ...of('src/buffer/prelude.lua', [
    ['a lease is given twice', "return 'wait', redis.call('PTTL', key)", "return 'lease', ''"],
    ['a generation survives the loss', 'local isSame = generation and', 'local isSame = generation or'],
    [
      'a lost lane keeps its generation',
      "return renewed(meta, history, version or '0')",
      "return generation or renewed(meta, history, version or '0')",
    ],
  ]),
  ...of('src/services/write-behind/ledger-watch.ts', [
    ['what is cached stays', '      await dropEntries(redis, prefix, [...behind.keys()]);\n', ''],
  ]),
  ...of('src/services/write-behind/batch-split.ts', [
    ['counters are parted from their row', '.flatMap((field) => [field, ...countersOf(group, field)])', ''],
  ]),
  ...of('src/client/reading/counter-port.ts', [
    ['a counter is summed with a batch between', ' || loaded.batch > claimed.batch', ''],
  ]),
  ...of('src/client/receipts/receipt.ts', [
    ['receipt ignores that its row is to end', '      if (await this.#endsWithRow()) return true;\n', ''],
  ]),
  ...of('src/client/receipts/fate.ts', [
    [
      'receipt ignores the generation',
      'write.generation === generation ? version : past.get(write.generation)',
      'version',
    ],
    [
      'watermark too high by one',
      'oldest === undefined ? version : oldest - 1n',
      'oldest === undefined ? version : oldest',
    ],
    ['receipt ignores who waits', 'waiting + dead === 0', 'true'],
  ]),
];
