-- check-server: what the check must know of the server, the database and the user.
-- $1 the schema in which tables are looked for
-- $2 the publication from which a change worker reads
-- Returns one row: version; version_number; standby; encoding; user; database; superuser; bypasses, whether row security does not
-- hold for the user; max_connections, without those kept for others; used, connections of all; role_limit and database_limit
-- (-1: none), with role_used and database_used; schema, whether it exists; usage, whether the user may look into it; published, whether
-- there is that publication; now, in ms.
SELECT
  split_part(current_setting('server_version'), ' ', 1) AS version,
  current_setting('server_version_num')::int AS version_number,
  pg_is_in_recovery() AS standby,
  current_setting('server_encoding') AS encoding,
  current_user::text AS "user",
  current_database()::text AS database,
  r.rolsuper AS superuser,
  r.rolsuper OR r.rolbypassrls AS bypasses,
  current_setting('max_connections')::int - CASE WHEN r.rolsuper THEN 0
    ELSE current_setting('superuser_reserved_connections')::int
      + coalesce(current_setting('reserved_connections', true)::int, 0) END AS max_connections,
  (SELECT sum(numbackends)::int FROM pg_stat_database) AS used,
  r.rolconnlimit AS role_limit,
  (SELECT count(*)::int FROM pg_stat_activity WHERE usename = current_user) AS role_used,
  d.datconnlimit AS database_limit,
  (SELECT numbackends FROM pg_stat_database WHERE datname = current_database()) AS database_used,
  n.oid IS NOT NULL AS schema,
  coalesce(has_schema_privilege(n.oid, 'USAGE'), false) AS usage,
  EXISTS (SELECT FROM pg_publication WHERE pubname = $2) AS published,
  (extract(epoch FROM clock_timestamp()) * 1000)::float8 AS now
FROM pg_roles AS r
JOIN pg_database AS d ON d.datname = current_database()
LEFT JOIN pg_namespace AS n ON n.nspname = $1
WHERE r.rolname = current_user
