-- read-differing: records whose rows differ from what was written, in columns that the database makes, that a put leaves as they are,
-- or that a trigger may change; to be run after the batch was written.
-- $1           the records, as a JSON array of objects: the fields of the rows and "_key"
-- {{table}}    the model's table
-- {{recordset}} field names of the id and of these columns, with their types
-- {{match}}    t.column = r.field for each column of the id
-- {{differs}}  whether one of these columns differs, or there is no row; of deletes, whether there is one
-- Returns a row for each of them: key.
SELECT r."_key" AS key
FROM json_to_recordset($1::json) AS r({{recordset}}, "_key" text)
LEFT JOIN {{table}} AS t ON {{match}}
WHERE {{differs}}
