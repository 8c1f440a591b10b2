-- Up to which number a proxy's batches of access logs are written: one that is sent again counts once, also after a restart of the collector.
CREATE TABLE "log_sender" (
    "id" TEXT NOT NULL PRIMARY KEY,
    "last_batch" BIGINT NOT NULL,
    "seen_at" BIGINT NOT NULL
);
CREATE INDEX "log_sender_seen_at_idx" ON "log_sender"("seen_at");
