import type { ApiToken, AuditEntry, AuditQuery, Grant } from "../contract/index.ts";

export type { AuditEntry, AuditQuery };

export interface StoredUser {
  name: string;
  displayName: string;
  grants: Grant[];
  /** As `hashPassword` gives it; null: none. */
  password: string | null;
  /** Who vouches for them; null for people who are kept here. */
  provider: { issuer: string; subject: string } | null;
  disabled: boolean;
  /** Unix milliseconds, as all times here. */
  createdAt: number;
  lastSignInAt: number | null;
}

export interface StoredSession {
  hash: string;
  userName: string;
  way: "password" | "link" | "oidc";
  createdAt: number;
  seenAt: number;
  endsAt: number;
}

export interface StoredToken extends ApiToken {
  hash: string;
}

export interface StoredLink {
  hash: string;
  /** Null: the first administrator, whoever that is. */
  userName: string | null;
  endsAt: number;
}

export type NewAuditEntry = Omit<AuditEntry, "id">;

/**
 * Who may come in, and the audit. Kept in SQLite or PostgreSQL; one contract suite holds both. Secrets come as hashes. Every method rejects with the
 * database's error.
 */
export interface AccessStore {
  users(): Promise<StoredUser[]>;
  user(name: string): Promise<StoredUser | undefined>;
  userOfProvider(provider: { issuer: string; subject: string }): Promise<StoredUser | undefined>;
  /** False, and nothing written, when there is one of this name. */
  addUser(user: StoredUser): Promise<boolean>;
  /**
   * Changes one under a lock, so that two changes can't undo what the other relied on: `change` sees all users, and throws what refuses it. Undefined
   * deletes. False when there is no such user.
   */
  changeUser(
    name: string,
    change: (user: StoredUser, all: readonly StoredUser[]) => StoredUser | undefined,
  ): Promise<boolean>;

  addSession(session: StoredSession): Promise<void>;
  session(hash: string): Promise<{ session: StoredSession; user: StoredUser } | undefined>;
  touchSession(hash: string, seenAt: number): Promise<void>;
  endSession(hash: string): Promise<void>;
  /** All but `except`. Resolves with how many there were. */
  endSessions(userName: string, except?: string): Promise<number>;
  /** Those that are open, by user. */
  sessionCounts(now: number, idleSince: number): Promise<Map<string, number>>;

  addToken(token: StoredToken): Promise<void>;
  token(id: string): Promise<StoredToken | undefined>;
  tokens(): Promise<StoredToken[]>;
  touchToken(id: string, usedAt: number): Promise<void>;
  deleteToken(id: string): Promise<boolean>;
  deleteTokensOf(owner: string): Promise<void>;

  addLink(link: StoredLink): Promise<void>;
  /** Each link once, whoever else asks at the same time. */
  takeLink(hash: string): Promise<StoredLink | undefined>;

  appendAudit(entry: NewAuditEntry): Promise<void>;
  audit(query: AuditQuery): Promise<AuditEntry[]>;

  /** Lets go of sessions, tokens and links that are over, and of audit entries past what is kept. */
  clean(past: { now: number; idleSince: number; auditSince: number; maxAudit: number }): Promise<void>;
  close(): Promise<void>;
}
