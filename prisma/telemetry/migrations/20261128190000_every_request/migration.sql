-- What a request was answered in gRPC, who told of it, and on which budget it is kept.
ALTER TABLE "access_log" ADD COLUMN "grpc_status" INTEGER NOT NULL DEFAULT -1;
ALTER TABLE "access_log" ADD COLUMN "proxy" TEXT NOT NULL DEFAULT '';
ALTER TABLE "access_log" ADD COLUMN "error" BOOLEAN NOT NULL DEFAULT false;
UPDATE "access_log" SET "error" = CASE WHEN (SELECT "protocol" FROM "edge" WHERE "id" = "edge") = 'tcp'
  THEN "flags" <> 0 ELSE "code" = 0 OR "code" >= 400 END;
CREATE INDEX "access_log_error_at_idx" ON "access_log"("error", "at");
CREATE INDEX "access_log_trace_idx" ON "access_log"("trace_id") WHERE "trace_id" <> '';

-- Attributes of what makes spans and logs, written once.
CREATE TABLE "resource" (
    "id" INTEGER NOT NULL PRIMARY KEY,
    "attributes" TEXT NOT NULL,
    "seen_at" BIGINT NOT NULL
);
CREATE UNIQUE INDEX "resource_attributes_key" ON "resource"("attributes");

-- Ids as bytes: half as long, in the table and in its index.
ALTER TABLE "span" RENAME TO "old_span";
DROP INDEX "span_received_at_idx";
DROP INDEX "span_start_us_idx";
CREATE TABLE "span" (
    "id" INTEGER NOT NULL PRIMARY KEY,
    "trace_id" BLOB NOT NULL,
    "span_id" BLOB NOT NULL,
    "parent_span_id" BLOB NOT NULL,
    "service" TEXT NOT NULL,
    "name" TEXT NOT NULL,
    "kind" INTEGER NOT NULL,
    "start_us" BIGINT NOT NULL,
    "duration_us" BIGINT NOT NULL,
    "error" BOOLEAN NOT NULL,
    "attributes" TEXT NOT NULL,
    "resource" INTEGER NOT NULL,
    "detail" TEXT NOT NULL,
    "received_at" BIGINT NOT NULL
);
INSERT INTO "span" ("trace_id", "span_id", "parent_span_id", "service", "name", "kind", "start_us", "duration_us", "error", "attributes", "resource", "detail", "received_at")
  SELECT unhex("trace_id"), unhex("span_id"), unhex("parent_span_id"), "service", "name", "kind", "start_us", "duration_us", "error", "attributes", 0, '', "received_at"
  FROM "old_span" ORDER BY "received_at";
DROP TABLE "old_span";
CREATE UNIQUE INDEX "span_trace_id_span_id_key" ON "span"("trace_id", "span_id");
CREATE INDEX "span_received_at_idx" ON "span"("received_at");

-- What a search for traces looks at: a row for each, instead of one for each span.
CREATE TABLE "trace" (
    "trace_id" BLOB NOT NULL PRIMARY KEY,
    "start_us" BIGINT NOT NULL,
    "end_us" BIGINT NOT NULL,
    "errors" INTEGER NOT NULL,
    "operations" TEXT NOT NULL,
    "terms" BLOB NOT NULL,
    "received_at" BIGINT NOT NULL
);
INSERT INTO "trace" SELECT "trace_id", min("start_us"), max("start_us" + "duration_us"), sum("error"),
  char(10) || group_concat("service" || char(9) || "name", char(10)) || char(10), x'', max("received_at")
  FROM "span" GROUP BY "trace_id";
CREATE INDEX "trace_start_us_idx" ON "trace"("start_us");
CREATE INDEX "trace_received_at_idx" ON "trace"("received_at");

CREATE TABLE "operation" (
    "service" TEXT NOT NULL,
    "name" TEXT NOT NULL,
    "seen_at" BIGINT NOT NULL,

    PRIMARY KEY ("service", "name")
);
INSERT INTO "operation" SELECT "service", "name", max("received_at") FROM "span" GROUP BY "service", "name";

-- Applications' logs.
CREATE TABLE "log" (
    "id" INTEGER NOT NULL PRIMARY KEY,
    "at_us" BIGINT NOT NULL,
    "service" TEXT NOT NULL,
    "severity" INTEGER NOT NULL,
    "severity_text" TEXT NOT NULL,
    "body" TEXT NOT NULL,
    "event_name" TEXT NOT NULL,
    "trace_id" BLOB NOT NULL,
    "span_id" BLOB NOT NULL,
    "scope" TEXT NOT NULL,
    "attributes" TEXT NOT NULL,
    "resource" INTEGER NOT NULL
);
CREATE INDEX "log_at_us_idx" ON "log"("at_us");
CREATE INDEX "log_trace_id_idx" ON "log"("trace_id") WHERE "trace_id" <> x'';

-- Metrics: the dictionary of series, and buckets like those of the roll-up.
CREATE TABLE "metric_series" (
    "id" INTEGER NOT NULL PRIMARY KEY,
    "identity" TEXT NOT NULL,
    "name" TEXT NOT NULL,
    "kind" TEXT NOT NULL,
    "unit" TEXT NOT NULL,
    "description" TEXT NOT NULL,
    "service" TEXT NOT NULL,
    "instance" TEXT NOT NULL,
    "labels" TEXT NOT NULL,
    "seen_at" BIGINT NOT NULL
);
CREATE UNIQUE INDEX "metric_series_identity_key" ON "metric_series"("identity");
CREATE INDEX "metric_series_name_idx" ON "metric_series"("name");
CREATE TABLE "metric_bucket" (
    "step" INTEGER NOT NULL,
    "at" INTEGER NOT NULL,
    "part" BIGINT NOT NULL,
    "entries" BLOB NOT NULL,

    PRIMARY KEY ("step", "at", "part")
);
CREATE TABLE "metric_compaction" (
    "step" INTEGER NOT NULL PRIMARY KEY,
    "until" INTEGER NOT NULL
);

-- Which batch was the last, since when a collector runs, and how often it wrote into seconds that were settled.
ALTER TABLE "collector" ADD COLUMN "last_batch" BIGINT NOT NULL DEFAULT 0;
ALTER TABLE "collector" ADD COLUMN "started_at" BIGINT NOT NULL DEFAULT 0;
ALTER TABLE "collector" ADD COLUMN "late_writes" INTEGER NOT NULL DEFAULT 0;

-- Stretches of time of which records may be missing; Unix milliseconds.
CREATE TABLE "gap" (
    "id" INTEGER NOT NULL PRIMARY KEY,
    "from_ms" BIGINT NOT NULL,
    "to_ms" BIGINT NOT NULL,
    "collector" TEXT NOT NULL,
    "cause" TEXT NOT NULL
);
CREATE INDEX "gap_to_ms_idx" ON "gap"("to_ms");
