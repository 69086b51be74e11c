-- insert-or-add: adds a batch's deltas to a counter column, and makes the rows that are missing.
-- Only for models whose other columns have defaults.
-- $1           the deltas, as a JSON array of objects: the id's fields and "_delta"
-- {{table}}    the model's table
-- {{column}}   the counter
-- {{initial}}  the counter's default, which a new row starts from
-- {{columns}}  the id's columns
-- {{fields}}   the same as r.field
-- {{recordset}} field names of the id with their columns' types
INSERT INTO {{table}} AS t ({{columns}}, {{column}})
SELECT {{fields}}, {{initial}} + r."_delta"
FROM json_to_recordset($1::json) AS r({{recordset}}, "_delta" bigint)
ON CONFLICT ({{columns}}) DO UPDATE SET {{column}} = t.{{column}} + excluded.{{column}} - {{initial}}
