-- read-ledger: the number up to which the batches of a lane were applied.
-- $1 lane, e.g. forebay:projects/3
-- {{ledger}} forebay's table
-- Returns no row, or one: batch (of a void batch the number before it, for nothing of it is in the rows), voids (the lane's last void
-- numbers, with spaces between; null where there are none).
SELECT (batch - is_void::int)::text AS batch, (SELECT generation FROM {{ledger}} WHERE lane = $1 || '#void') AS voids
FROM {{ledger}} WHERE lane = $1
