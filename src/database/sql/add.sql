-- add: adds a batch's deltas to a counter column, in one statement.
-- $1           the deltas, as a JSON array of objects: the id's fields and "_delta"
-- {{table}}    the model's table
-- {{column}}   the counter
-- {{recordset}} field names of the id with their columns' types
-- {{match}}    t.column = r.field for each column of the id
-- Affects one row for each delta whose row exists.
UPDATE {{table}} AS t
SET {{column}} = t.{{column}} + r."_delta"
FROM json_to_recordset($1::json) AS r({{recordset}}, "_delta" bigint)
WHERE {{match}}
