-- CreateTable
CREATE TABLE "edge" (
    "id" INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
    "reporter" TEXT NOT NULL,
    "gateway" BOOLEAN NOT NULL,
    "source_namespace" TEXT NOT NULL,
    "source_app" TEXT NOT NULL,
    "source_version" TEXT NOT NULL,
    "source_workload" TEXT NOT NULL,
    "service" TEXT NOT NULL,
    "destination_namespace" TEXT NOT NULL,
    "destination_app" TEXT NOT NULL,
    "destination_version" TEXT NOT NULL,
    "destination_workload" TEXT NOT NULL,
    "protocol" TEXT NOT NULL,
    "mtls" BOOLEAN NOT NULL
);

-- CreateTable
CREATE TABLE "rollup" (
    "step" INTEGER NOT NULL,
    "at" INTEGER NOT NULL,
    "edge" INTEGER NOT NULL,
    "code" INTEGER NOT NULL,
    "flags" INTEGER NOT NULL,
    "part" BIGINT NOT NULL,
    "count" INTEGER NOT NULL,
    "request_bytes" BIGINT NOT NULL,
    "response_bytes" BIGINT NOT NULL,
    "latency" BLOB NOT NULL,

    PRIMARY KEY ("step", "at", "edge", "code", "flags", "part")
);

-- CreateTable
CREATE TABLE "compaction" (
    "step" INTEGER NOT NULL PRIMARY KEY,
    "until" INTEGER NOT NULL
);

-- CreateTable
CREATE TABLE "collector" (
    "id" TEXT NOT NULL PRIMARY KEY,
    "flushed_at" BIGINT NOT NULL,
    "complete_until" BIGINT NOT NULL,
    "settled_until" BIGINT NOT NULL,
    "fresh_at" BIGINT,
    "active" BOOLEAN NOT NULL
);

-- CreateTable
CREATE TABLE "access_log" (
    "batch" BIGINT NOT NULL,
    "seq" INTEGER NOT NULL,
    "at" BIGINT NOT NULL,
    "edge" INTEGER NOT NULL,
    "code" INTEGER NOT NULL,
    "flags" INTEGER NOT NULL,
    "duration_us" BIGINT NOT NULL,
    "request_bytes" BIGINT NOT NULL,
    "response_bytes" BIGINT NOT NULL,
    "method" TEXT NOT NULL,
    "path" TEXT NOT NULL,
    "authority" TEXT NOT NULL,
    "request_id" TEXT NOT NULL,
    "trace_id" TEXT NOT NULL,
    "upstream_cluster" TEXT NOT NULL,
    "upstream_host" TEXT NOT NULL,
    "details" TEXT NOT NULL,
    "config" TEXT NOT NULL,

    PRIMARY KEY ("batch", "seq")
);

-- CreateTable
CREATE TABLE "span" (
    "trace_id" TEXT NOT NULL,
    "span_id" TEXT NOT NULL,
    "parent_span_id" TEXT NOT NULL,
    "service" TEXT NOT NULL,
    "name" TEXT NOT NULL,
    "kind" INTEGER NOT NULL,
    "start_us" BIGINT NOT NULL,
    "duration_us" BIGINT NOT NULL,
    "error" BOOLEAN NOT NULL,
    "attributes" TEXT NOT NULL,
    "received_at" BIGINT NOT NULL,

    PRIMARY KEY ("trace_id", "span_id")
);

-- CreateIndex
CREATE INDEX "edge_service_idx" ON "edge"("service");

-- CreateIndex
CREATE UNIQUE INDEX "edge_identity" ON "edge"("reporter", "gateway", "source_namespace", "source_app", "source_version", "source_workload", "service", "destination_namespace", "destination_app", "destination_version", "destination_workload", "protocol", "mtls");

-- CreateIndex
CREATE INDEX "access_log_edge_at_idx" ON "access_log"("edge", "at");

-- CreateIndex
CREATE INDEX "access_log_at_idx" ON "access_log"("at");

-- CreateIndex
CREATE INDEX "span_received_at_idx" ON "span"("received_at");

-- CreateIndex
CREATE INDEX "span_start_us_idx" ON "span"("start_us");
