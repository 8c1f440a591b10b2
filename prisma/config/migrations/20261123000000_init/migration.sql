-- CreateTable
CREATE TABLE "state" (
    "id" INTEGER NOT NULL PRIMARY KEY,
    "revision" INTEGER NOT NULL
);

-- CreateTable
CREATE TABLE "resource" (
    "namespace" TEXT NOT NULL,
    "name" TEXT NOT NULL,
    "kind" TEXT NOT NULL,
    "object" TEXT NOT NULL,

    PRIMARY KEY ("namespace", "name", "kind")
);

-- CreateTable
CREATE TABLE "commit" (
    "revision" INTEGER NOT NULL PRIMARY KEY,
    "at" BIGINT NOT NULL,
    "author" TEXT NOT NULL,
    "reason" TEXT
);

-- CreateTable
CREATE TABLE "change" (
    "revision" INTEGER NOT NULL,
    "ordinal" INTEGER NOT NULL,
    "namespace" TEXT NOT NULL,
    "name" TEXT NOT NULL,
    "kind" TEXT NOT NULL,
    "before" TEXT,
    "after" TEXT,

    PRIMARY KEY ("revision", "ordinal"),
    CONSTRAINT "change_revision_fkey" FOREIGN KEY ("revision") REFERENCES "commit" ("revision") ON DELETE CASCADE ON UPDATE CASCADE
);

-- CreateIndex
CREATE INDEX "resource_kind_namespace_name_idx" ON "resource"("kind", "namespace", "name");

-- CreateIndex
CREATE INDEX "commit_at_idx" ON "commit"("at");

-- CreateIndex
CREATE INDEX "change_kind_namespace_name_revision_idx" ON "change"("kind", "namespace", "name", "revision");
