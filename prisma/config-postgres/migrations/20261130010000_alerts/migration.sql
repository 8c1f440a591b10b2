-- What people were told of and who is told, for dashboards on several machines; each row the JSON of one.
CREATE TABLE "alert_notice" (
    "id" TEXT NOT NULL PRIMARY KEY,
    "body" TEXT NOT NULL
);

CREATE TABLE "alert_receiver" (
    "name" TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    "body" TEXT NOT NULL
);
