-- delete: removes the rows of a batch's deletes, in one statement.
-- $1           the ids, and versions where rows have them, as a JSON array of objects keyed by field name
-- {{table}}    the model's table
-- {{recordset}} these fields' names with their columns' types
-- {{match}}    t.column = r.field for each column of the id, and whether the row's version is older
DELETE FROM {{table}} AS t
USING json_to_recordset($1::json) AS r({{recordset}})
WHERE {{match}}
