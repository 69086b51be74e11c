-- read-rows: rows by id, as JSON that holds every value exactly and does not depend on the session: its settings are set for this
-- statement's transaction, which ends with it, before a row is written out.
-- $1           the ids, as a JSON array of objects: the id's fields and "_key"
-- {{table}}    the model's table
-- {{values}}   expression AS "field" for each field of the store
-- {{version}}  the version column as text, or NULL
-- {{recordset}} field names of the id with their columns' types
-- {{match}}    t.column = r.field for each column of the id
-- Returns a row for each that is there: key, json, version.
WITH forebay_session AS MATERIALIZED (
  SELECT concat(
    set_config('TimeZone', 'UTC', true),
    set_config('DateStyle', 'ISO', true),
    set_config('bytea_output', 'hex', true),
    set_config('extra_float_digits', '1', true)
  ) AS settings
)
SELECT r."_key" AS key,
  (SELECT row_to_json(f.*)::text FROM (SELECT {{values}}) AS f) AS json,
  {{version}} AS version
FROM forebay_session AS session, json_to_recordset($1::json) AS r({{recordset}}, "_key" text)
JOIN {{table}} AS t ON {{match}}
WHERE session.settings IS NOT NULL
