-- Who may come in at the console, and what they did there. Secrets are kept as hashes only.
CREATE TABLE "access_user" (
    "name" TEXT NOT NULL PRIMARY KEY,
    "displayName" TEXT NOT NULL,
    "grants" TEXT NOT NULL,
    "password" TEXT,
    "issuer" TEXT,
    "subject" TEXT,
    "disabled" INTEGER NOT NULL DEFAULT 0,
    "createdAt" BIGINT NOT NULL,
    "lastSignInAt" BIGINT
);
CREATE UNIQUE INDEX "access_user_issuer_subject_key" ON "access_user"("issuer", "subject");

CREATE TABLE "access_session" (
    "hash" TEXT NOT NULL PRIMARY KEY,
    "userName" TEXT NOT NULL,
    "way" TEXT NOT NULL,
    "createdAt" BIGINT NOT NULL,
    "seenAt" BIGINT NOT NULL,
    "endsAt" BIGINT NOT NULL,
    CONSTRAINT "access_session_userName_fkey" FOREIGN KEY ("userName") REFERENCES "access_user" ("name") ON DELETE CASCADE ON UPDATE CASCADE
);
CREATE INDEX "access_session_userName_idx" ON "access_session"("userName");

CREATE TABLE "access_token" (
    "id" TEXT NOT NULL PRIMARY KEY,
    "hash" TEXT NOT NULL,
    "name" TEXT NOT NULL,
    "owner" TEXT NOT NULL,
    "grants" TEXT NOT NULL,
    "createdAt" BIGINT NOT NULL,
    "endsAt" BIGINT NOT NULL,
    "usedAt" BIGINT
);
CREATE INDEX "access_token_owner_idx" ON "access_token"("owner");

CREATE TABLE "access_link" (
    "hash" TEXT NOT NULL PRIMARY KEY,
    "userName" TEXT,
    "endsAt" BIGINT NOT NULL
);

CREATE TABLE "audit_entry" (
    "id" INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
    "at" BIGINT NOT NULL,
    "actor" TEXT NOT NULL,
    "way" TEXT NOT NULL,
    "address" TEXT NOT NULL,
    "action" TEXT NOT NULL,
    "target" TEXT NOT NULL,
    "result" TEXT NOT NULL,
    "reason" TEXT NOT NULL,
    "diff" TEXT NOT NULL
);
CREATE INDEX "audit_entry_actor_idx" ON "audit_entry"("actor", "id");
CREATE INDEX "audit_entry_at_idx" ON "audit_entry"("at");

-- The audit is only added to. Retention may take what is a month old, or past the newest ten thousand, and nothing may take more.
CREATE TRIGGER "audit_entry_no_update" BEFORE UPDATE ON "audit_entry"
BEGIN
    SELECT RAISE(ABORT, 'the audit is only added to');
END;
CREATE TRIGGER "audit_entry_no_delete" BEFORE DELETE ON "audit_entry"
WHEN OLD."at" > (CAST(strftime('%s', 'now') AS INTEGER) - 2592000) * 1000
 AND OLD."id" > (SELECT MAX("id") FROM "audit_entry") - 10000
BEGIN
    SELECT RAISE(ABORT, 'the audit is only added to');
END;
