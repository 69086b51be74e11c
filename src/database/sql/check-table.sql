-- check-table: what the user may do with a table, and what keeps its rows from being as they were written.
-- $1 the table's schema
-- $2 the table's name
-- Returns no row, or one: lacks, the privileges that the user has not, joined by commas; sequences, a JSON array as text of those
-- that defaults of columns count by and the user may not; enums, a JSON object as text of columns and the values of their types;
-- unlogged, whether a crash empties it; secured, whether row security holds for the user.
SELECT
  array_to_string(ARRAY(
    SELECT p FROM unnest(ARRAY['SELECT', 'INSERT', 'UPDATE', 'DELETE']) AS p WHERE NOT has_table_privilege(c.oid, p)
  ), ', ') AS lacks,
  coalesce((
    SELECT json_agg(s.oid::regclass::text)
    FROM pg_depend AS d
    JOIN pg_class AS s ON s.oid = d.objid
    WHERE d.refobjid = c.oid AND d.deptype = 'a'
      AND CASE WHEN s.relkind = 'S' THEN NOT has_sequence_privilege(s.oid, 'USAGE') END
  ), '[]')::text AS sequences,
  coalesce((
    SELECT json_object_agg(a.attname, (SELECT json_agg(e.enumlabel) FROM pg_enum AS e WHERE e.enumtypid = t.oid))
    FROM pg_attribute AS a
    JOIN pg_type AS t ON t.typtype = 'e' AND (t.oid = a.atttypid OR t.typarray = a.atttypid)
    WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
  ), '{}')::text AS enums,
  c.relpersistence = 'u' AS unlogged,
  row_security_active(c.oid) AS secured
FROM pg_class AS c
JOIN pg_namespace AS n ON n.oid = c.relnamespace
WHERE n.nspname = $1 AND c.relname = $2 AND c.relkind IN ('r', 'p')
