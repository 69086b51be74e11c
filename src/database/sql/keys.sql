-- keys: the keys by which a table's rows can be found by an upsert.
-- $1 the table's name, quoted, with its schema or found by the search path
-- Returns a row for each unique index of plain columns that is checked at once: columns, a JSON array of their names as text.
SELECT (
  SELECT json_agg(a.attname)::text
  FROM pg_attribute AS a
  WHERE a.attrelid = i.indrelid AND a.attnum = ANY (i.indkey[0:i.indnkeyatts - 1])
) AS columns
FROM pg_index AS i
WHERE i.indrelid = to_regclass($1) AND i.indisunique AND i.indimmediate AND i.indisvalid
  AND i.indpred IS NULL AND i.indexprs IS NULL
