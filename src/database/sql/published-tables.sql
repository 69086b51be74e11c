-- published-tables: what a publication tells of tables, and of those below them: partitions, and children by INHERITS. From the catalog
-- alone: the view pg_publication_tables and the function pg_partition_tree wait for locks of tables.
-- $1 tables       their names, quoted, with their schemas or found by the search path
-- $2 publication
-- The ways into a publication are of a table, of a schema or of all tables. Postgres 14 has no schemas, which are found by what depends
-- on the publication, and neither filters nor lists of columns. What an index INCLUDEs comes behind its keys.
-- Returns a row for each table that is there, and for each below it: given, the name as given; schema; table; isPartition, which is told
-- as the table that it is below of; isParted, whether it has partitions; isLogged; isPublished; isFiltered, when not all of its rows or
-- columns are; isViaRoot, whether rows of partitions are told as those of the published table; identity, a JSON array of the columns that
-- a delete tells, as text, or null when there are none; mark, another one when the table was made anew, or published anew; null of a
-- partition.
WITH RECURSIVE
  below (given, oid, "isPartition") AS (
    SELECT name, to_regclass(name)::oid, false FROM unnest($1::text[]) AS given (name)
    UNION
    SELECT b.given, c.oid, c.relispartition
    FROM below AS b
    JOIN pg_inherits AS i ON i.inhparent = b.oid
    JOIN pg_class AS c ON c.oid = i.inhrelid AND c.relkind IN ('r', 'p')
  ),
  publication AS (SELECT oid, xmin, puballtables, pubviaroot FROM pg_publication WHERE pubname = $2),
  way (oid, relid, schema, "isFiltered") AS (
    SELECT oid, NULL::oid, NULL::oid, false FROM publication WHERE puballtables
    UNION ALL
    SELECT r.oid, r.prrelid, NULL, coalesce(to_jsonb(r) ->> 'prqual', to_jsonb(r) ->> 'prattrs') IS NOT NULL
    FROM publication AS p
    JOIN pg_publication_rel AS r ON r.prpubid = p.oid
    UNION ALL
    SELECT d.objid, NULL, s.refobjid, false
    FROM publication AS p
    JOIN pg_depend AS d ON d.refclassid = 'pg_catalog.pg_publication'::regclass AND d.refobjid = p.oid
      AND d.classid = to_regclass('pg_catalog.pg_publication_namespace')
    JOIN pg_depend AS s ON s.classid = d.classid AND s.objid = d.objid AND s.refclassid = 'pg_catalog.pg_namespace'::regclass
  )
SELECT b.given, n.nspname AS schema, c.relname AS "table", b."isPartition",
  c.relkind = 'p' AS "isParted", c.relpersistence = 'p' AS "isLogged",
  ways.oids IS NOT NULL AND NOT (p.pubviaroot AND ways."isOfRoot") AS "isPublished",
  coalesce(ways."isFiltered", false) AS "isFiltered",
  coalesce(p.pubviaroot, true) AS "isViaRoot",
  (
    SELECT json_agg(a.attname)::text
    FROM pg_attribute AS a
    WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped AND (
      c.relreplident = 'f' OR EXISTS (
        SELECT FROM pg_index AS i
        WHERE i.indrelid = c.oid AND i.indisvalid AND i.indimmediate
          AND a.attnum = ANY ((i.indkey::int2[])[0:i.indnkeyatts - 1])
          AND CASE c.relreplident WHEN 'd' THEN i.indisprimary WHEN 'i' THEN i.indisreplident ELSE false END
      )
    )
  ) AS identity,
  CASE WHEN NOT b."isPartition" THEN concat_ws(' ', c.oid, p.oid, p.xmin, ways.oids) END AS mark
FROM below AS b
JOIN pg_class AS c ON c.oid = b.oid
JOIN pg_namespace AS n ON n.oid = c.relnamespace
LEFT JOIN publication AS p ON true
CROSS JOIN LATERAL (
  SELECT string_agg(way.oid::text, ' ' ORDER BY way.oid) AS oids, bool_or(way."isFiltered") AS "isFiltered",
    bool_or(t.oid <> c.oid) AS "isOfRoot"
  FROM (SELECT c.oid UNION SELECT relid FROM pg_partition_ancestors(c.oid)) AS line (oid)
  JOIN pg_class AS t ON t.oid = line.oid
  JOIN way ON (way.relid IS NULL OR way.relid = t.oid) AND (way.schema IS NULL OR way.schema = t.relnamespace)
  WHERE NOT b."isPartition"
) AS ways
ORDER BY mark, schema, "table"
