-- read-failures: what try-records has left.
-- Returns one row: failures, a JSON object as text.
SELECT current_setting('forebay.failures') AS failures
