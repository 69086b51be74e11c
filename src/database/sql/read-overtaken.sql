-- read-overtaken: the records of a batch whose rows have a newer version; to be run after the batch was written.
-- $1           the records, as a JSON array of objects: the id's fields, the version and "_key"
-- {{table}}    the model's table
-- {{recordset}} field names of the id and the version, with their columns' types
-- {{match}}    t.column = r.field for each column of the id
-- {{newer}}    whether the row's version is newer
-- Returns a row for each of them: key.
SELECT r."_key" AS key
FROM json_to_recordset($1::json) AS r({{recordset}}, "_key" text)
JOIN {{table}} AS t ON {{match}} AND {{newer}}
