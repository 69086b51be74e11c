-- read-counters: counters and the lane's ledger at one point, so that it is known which batches they hold.
-- $1           the ids, as a JSON array of objects: the id's fields and "_key"
-- $2           lane, e.g. forebay:projects/3
-- {{ledger}} forebay's table
-- {{table}}    the model's table
-- {{column}}   the counter
-- {{recordset}} field names of the id with their columns' types
-- {{match}}    t.column = r.field for each column of the id
-- Returns a row for each id: key, value (null where there is no row), batch (null where there is no ledger row yet; of a
-- void batch the number before it, for nothing of it is in the rows), voids (the lane's last void numbers, with spaces between;
-- null where there are none: a Redis that went back may have such a batch again).
SELECT r."_key" AS key, t.{{column}}::text AS value,
  (SELECT (batch - is_void::int)::text FROM {{ledger}} WHERE lane = $2) AS batch,
  (SELECT generation FROM {{ledger}} WHERE lane = $2 || '#void') AS voids
FROM json_to_recordset($1::json) AS r({{recordset}}, "_key" text)
LEFT JOIN {{table}} AS t ON {{match}}
