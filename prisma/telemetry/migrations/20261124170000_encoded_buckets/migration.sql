-- SQL can't encode buckets, and telemetry can be thrown away: the roll-up begins anew.
-- DropTable
DROP TABLE "rollup";

-- CreateTable
CREATE TABLE "rollup" (
    "step" INTEGER NOT NULL,
    "at" INTEGER NOT NULL,
    "part" BIGINT NOT NULL,
    "entries" BLOB NOT NULL,

    PRIMARY KEY ("step", "at", "part")
);

DELETE FROM "compaction";
