-- replication: whether this server and this user can give a logical replication.
-- $1 publication
-- Returns one row: walLevel; isAllowed, whether the user may replicate; isThere, whether the publication is; isWhole, whether it tells
-- of every kind of change.
SELECT
  current_setting('wal_level') AS "walLevel",
  r.rolsuper OR r.rolreplication OR EXISTS (
    SELECT FROM pg_roles AS managed WHERE managed.rolname = 'rds_replication' AND pg_has_role(r.oid, managed.oid, 'USAGE')
  ) AS "isAllowed",
  p.oid IS NOT NULL AS "isThere",
  coalesce(p.pubinsert AND p.pubupdate AND p.pubdelete AND p.pubtruncate, false) AS "isWhole"
FROM pg_roles AS r
LEFT JOIN pg_publication AS p ON p.pubname = $1
WHERE r.rolname = current_user
