-- The tables of prisma/config, for PostgreSQL.
CREATE TABLE "state" (
    "id" INTEGER NOT NULL PRIMARY KEY,
    "revision" INTEGER NOT NULL,
    "identity" TEXT,
    "checkedAt" BIGINT
);

CREATE TABLE "resource" (
    "namespace" TEXT COLLATE "C" NOT NULL,
    "name" TEXT COLLATE "C" NOT NULL,
    "kind" TEXT COLLATE "C" NOT NULL,
    "object" TEXT NOT NULL,

    PRIMARY KEY ("namespace", "name", "kind")
);

CREATE TABLE "commit" (
    "revision" INTEGER NOT NULL PRIMARY KEY,
    "at" BIGINT NOT NULL,
    "author" TEXT NOT NULL,
    "reason" TEXT
);

CREATE TABLE "change" (
    "revision" INTEGER NOT NULL,
    "ordinal" INTEGER NOT NULL,
    "namespace" TEXT COLLATE "C" NOT NULL,
    "name" TEXT COLLATE "C" NOT NULL,
    "kind" TEXT COLLATE "C" NOT NULL,
    "before" TEXT,
    "after" TEXT,

    PRIMARY KEY ("revision", "ordinal"),
    CONSTRAINT "change_revision_fkey" FOREIGN KEY ("revision") REFERENCES "commit" ("revision") ON DELETE CASCADE ON UPDATE CASCADE
);

CREATE INDEX "commit_at_idx" ON "commit"("at");

CREATE INDEX "change_kind_namespace_name_revision_idx" ON "change"("kind", "namespace", "name", "revision");
