-- update-unique: gives the rows of a batch's puts that are there their new values in columns of unique indexes, where
-- those differ. The upsert leaves these columns alone: named in its SET, changed or not, they would make it lock each row
-- against the foreign-key checks of other lanes, which take their locks in an order of their own: a deadlock.
-- $1           the rows, as a JSON array of objects keyed by field name
-- {{table}}    the model's table
-- {{updates}}  column = r.field for each column of a unique index
-- {{recordset}} field names of the id, of these columns and of the version, with their types
-- {{match}}    t.column = r.field for each column of the id, and whether the row's version is older
-- {{differs}}  whether one of these columns differs
UPDATE {{table}} AS t
SET {{updates}}
FROM json_to_recordset($1::json) AS r({{recordset}})
WHERE {{match}} AND ({{differs}})
