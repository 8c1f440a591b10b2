-- Settings of retention that were made on a page, for all collectors; one row.
CREATE TABLE "retention" (
    "settings" TEXT NOT NULL
);
INSERT INTO "retention" VALUES ('');
