-- is-void: whether a batch was found void, and its split perhaps interrupted.
-- $1 lane    e.g. forebay:tasks/3
-- $2 number  the batch's number
-- {{ledger}} forebay's table
-- Returns one row when it was, else none.
SELECT FROM {{ledger}} WHERE lane = $1 AND batch = $2::bigint AND is_void
