-- columns: a table's columns and their types, as Postgres's catalog has them.
-- $1 the table's name, quoted, with its schema or found by the search path
-- Returns a row for each column: name, type; none when there is no such table.
SELECT a.attname AS name, format_type(a.atttypid, a.atttypmod) AS type
FROM pg_attribute AS a
WHERE a.attrelid = to_regclass($1) AND a.attnum > 0 AND NOT a.attisdropped
