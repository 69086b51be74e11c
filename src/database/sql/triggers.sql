-- triggers: the triggers of tables, and of those below them: partitions, and children by INHERITS. Without Postgres's own, which hold
-- foreign keys; with those that are switched off, for they may be switched on.
-- $1 tables their names, quoted, with their schemas or found by the search path
-- Returns a row for each: name.
WITH RECURSIVE below (oid) AS (
  SELECT to_regclass(name)::oid FROM unnest($1::text[]) AS given (name)
  UNION
  SELECT i.inhrelid FROM below AS b JOIN pg_inherits AS i ON i.inhparent = b.oid
)
SELECT t.tgname::text AS name FROM below AS b JOIN pg_trigger AS t ON t.tgrelid = b.oid WHERE NOT t.tgisinternal
