-- give-trial: hands the next statement of this transaction, try-records, what it tries.
-- $1 the batch's statements, as a JSON array; each takes a JSON array of items
-- $2 the steps, as a JSON array, in the batch's order: [statement, skip, key, item, must]. One is skipped when that with the key
-- "skip" has failed; the item may also be an array of items; must: one that affects no row has failed
SELECT set_config('forebay.statements', $1, true), set_config('forebay.steps', $2, true)
