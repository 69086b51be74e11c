-- snapshot: which transactions a reader that begins now sees.
-- Returns one row: snapshot, as `xmin:xmax:those between that are under way`.
SELECT pg_current_snapshot()::text AS snapshot
