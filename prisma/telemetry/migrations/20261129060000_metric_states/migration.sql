-- The newest point of each series that counts since a start, so that a collector that begins anew goes on counting from there. The identity is SHA-256 of
-- all its names; times are the source's own, in milliseconds.
CREATE TABLE "metric_state" (
    "identity" BLOB NOT NULL PRIMARY KEY,
    "time_ms" BIGINT NOT NULL,
    "start_ms" BIGINT NOT NULL,
    "value" REAL NOT NULL,
    "histogram" TEXT NOT NULL,
    "seen_at" BIGINT NOT NULL
);

-- Attributes of the logger of an application's log line, as JSON; empty: none.
ALTER TABLE "log" ADD COLUMN "scope_attributes" TEXT NOT NULL DEFAULT '';
