-- columns: a table's columns as Postgres's catalog has them.
-- $1 the table's name, quoted, with its schema or found by the search path
-- Returns a row for each column: name; type, with its schema unless that is Postgres's own; unique, whether a unique index other
-- than the primary key's has it, and so a foreign key could point to it; generated, whether the database alone writes it: a generated
-- column, or an identity that is always its own; required, whether a row without it is refused. None when there is no such table.
SELECT
  a.attname AS name,
  CASE WHEN t.typnamespace = 'pg_catalog'::regnamespace THEN format_type(a.atttypid, a.atttypmod)
    ELSE concat(t.typnamespace::regnamespace, '.', quote_ident(t.typname), CASE WHEN t.oid <> a.atttypid THEN '[]' END)
  END AS type,
  EXISTS (
    SELECT FROM pg_index AS i
    WHERE i.indrelid = a.attrelid AND a.attnum = ANY (i.indkey)
      AND i.indisunique AND NOT i.indisprimary AND i.indpred IS NULL AND i.indexprs IS NULL
  ) AS "unique",
  a.attgenerated <> '' OR a.attidentity = 'a' AS generated,
  a.attnotnull AND NOT a.atthasdef AND a.attidentity = '' AS required
FROM pg_attribute AS a
JOIN pg_type AS c ON c.oid = a.atttypid
JOIN pg_type AS t ON t.oid = CASE WHEN c.typlen = -1 AND c.typelem <> 0 THEN c.typelem ELSE c.oid END
WHERE a.attrelid = to_regclass($1) AND a.attnum > 0 AND NOT a.attisdropped
