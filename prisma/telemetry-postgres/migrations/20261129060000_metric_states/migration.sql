-- The newest point of each series that counts since a start, so that a collector that begins anew goes on counting from there. The identity is SHA-256 of
-- all its names; times are the source's own, in milliseconds.
CREATE TABLE "metric_state" (
    "identity" BYTEA NOT NULL PRIMARY KEY,
    "time_ms" BIGINT NOT NULL,
    "start_ms" BIGINT NOT NULL,
    "value" DOUBLE PRECISION NOT NULL,
    "histogram" TEXT NOT NULL,
    "seen_at" BIGINT NOT NULL
);

-- Attributes of the logger of an application's log line, as JSON; empty: none. A view has the columns that its table had when it was made.
ALTER TABLE "log_rows" ADD COLUMN "scope_attributes" TEXT NOT NULL DEFAULT '';
CREATE OR REPLACE VIEW "log" AS SELECT * FROM "log_rows" WHERE "at_us" >= (SELECT "since" FROM "kept" WHERE "name" = 'log');

-- Under which token a collector takes in what a proxy sends now: what is held under another one is not counted when it is written.
ALTER TABLE "log_sender" ADD COLUMN "claim" TEXT NOT NULL DEFAULT '';
