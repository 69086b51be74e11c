-- is-void: whether a batch was found void, and its split perhaps interrupted, or forgotten by a Redis that went back.
-- $1 lane    e.g. forebay:tasks/3
-- $2 number  the batch's number
-- {{ledger}} forebay's table
-- Returns one row when it was, else none.
SELECT FROM {{ledger}}
WHERE (lane = $1 AND batch = $2::bigint AND is_void) OR (lane = $1 || '#void' AND $2::text = ANY (string_to_array(generation, ' ')))
LIMIT 1
