-- delete: removes the rows of a batch's deletes, in one statement.
-- $1           the ids, as a JSON array of objects keyed by field name
-- {{table}}    the model's table
-- {{recordset}} field names of the id with their columns' types
-- {{match}}    t.column = r.field for each column of the id
DELETE FROM {{table}} AS t
USING json_to_recordset($1::json) AS r({{recordset}})
WHERE {{match}}
