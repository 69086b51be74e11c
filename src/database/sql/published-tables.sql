-- published-tables: what a publication tells of tables.
-- $1 tables       their names, quoted, with their schemas or found by the search path
-- $2 publication
-- Returns a row for each table that is there: name, as given; schema and table, as the publication names it; isPublished; identity, a
-- JSON array of the columns that a delete tells, as text, or null when there are none.
SELECT given.name, n.nspname AS schema, c.relname AS "table",
  EXISTS (
    SELECT FROM pg_publication_tables AS p WHERE p.pubname = $2 AND p.schemaname = n.nspname AND p.tablename = c.relname
  ) AS "isPublished",
  (
    SELECT json_agg(a.attname)::text
    FROM pg_attribute AS a
    WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped AND (
      c.relreplident = 'f' OR EXISTS (
        SELECT FROM pg_index AS i
        WHERE i.indrelid = c.oid AND a.attnum = ANY (i.indkey)
          AND CASE c.relreplident WHEN 'd' THEN i.indisprimary WHEN 'i' THEN i.indisreplident ELSE false END
      )
    )
  ) AS identity
FROM unnest($1::text[]) AS given (name)
JOIN pg_class AS c ON c.oid = to_regclass(given.name)
JOIN pg_namespace AS n ON n.oid = c.relnamespace
