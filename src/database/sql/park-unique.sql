-- park-unique: takes a unique column's value from rows that give it up in this batch, when another row of the batch wants it; so
-- rows can swap their values, for update-unique then finds them free. The rows get their own new values there too.
-- $1           the rows, as a JSON array of objects keyed by field name
-- {{table}}    the model's table
-- {{column}}   the column
-- {{field}}    its field, quoted
-- {{parked}}   a value that nobody wants
-- {{recordset}} field names of the id and of the column, with their types
-- {{match}}    t.column = r.field for each column of the id
-- {{others}}   whether w is another row than t
UPDATE {{table}} AS t
SET {{column}} = {{parked}}
FROM json_to_recordset($1::json) AS r({{recordset}}), json_to_recordset($1::json) AS w({{recordset}})
WHERE {{match}} AND r.{{field}} IS DISTINCT FROM t.{{column}} AND w.{{field}} = t.{{column}} AND ({{others}})
