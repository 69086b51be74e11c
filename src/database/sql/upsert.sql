-- upsert: inserts the rows of a batch's puts, or replaces those that are there, in one statement.
-- $1           the rows, as a JSON array of objects keyed by field name
-- {{table}}    the model's table
-- {{columns}}  its columns, without counters and those that the database makes
-- {{fields}}   the same as r.field
-- {{recordset}} field names with their columns' types
-- {{key}}      the id's columns
-- {{overriding}} OVERRIDING SYSTEM VALUE where the id is an identity that is always its own, else nothing
-- {{action}}   DO UPDATE SET …, or DO NOTHING where the id is the whole row; a row with a version gives way only to a newer one
INSERT INTO {{table}} AS t ({{columns}}){{overriding}}
SELECT {{fields}}
FROM json_to_recordset($1::json) AS r({{recordset}})
ON CONFLICT ({{key}}) {{action}}
