-- check-migrations: what Prisma noted of its migrations.
-- {{table}} Prisma's own table
-- Returns a row for each that was not rolled back: name; finished, whether it was applied to its end.
SELECT migration_name AS name, finished_at IS NOT NULL AS finished FROM {{table}} WHERE rolled_back_at IS NULL
