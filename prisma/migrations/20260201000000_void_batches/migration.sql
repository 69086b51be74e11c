-- A batch that the database refused in part is void: its number is used up, and nothing of it was applied.
ALTER TABLE "forebay_ledger" ADD COLUMN "is_void" BOOLEAN NOT NULL DEFAULT false;
