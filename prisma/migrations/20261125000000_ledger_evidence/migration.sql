-- What a lane's last applied batch proves: up to which version everything of a generation of the lane is in the database.
ALTER TABLE "forebay_ledger" ADD COLUMN "generation" TEXT, ADD COLUMN "persisted" BIGINT;
