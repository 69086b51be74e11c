-- check-settings: the server's settings as this session has them, and where each comes from.
-- Returns a row for each that is known: name, setting, source.
SELECT name, setting, source FROM pg_settings
WHERE name IN (
  'statement_timeout', 'lock_timeout', 'idle_in_transaction_session_timeout', 'transaction_timeout', 'idle_session_timeout',
  'default_transaction_read_only', 'synchronous_commit', 'fsync', 'full_page_writes', 'autovacuum',
  'default_transaction_isolation', 'wal_level'
)
