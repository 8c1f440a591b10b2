import { type AuditPage, type AuditQuery, told } from "../contract/index.ts";
import type { Clock } from "../lib/clock.ts";
import type { Logger } from "../lib/logger.ts";
import { type Audit, createAudit, type Deed } from "./audit.ts";
import { type Caller, machineCaller } from "./caller.ts";
import { failure } from "./failure.ts";
import { hashOf, idOfToken, sameSecret } from "./secrets.ts";
import { createSessions, type Sessions, sessionIdleMs } from "./sessions.ts";
import { createSignIn, type SignIn } from "./sign-in.ts";
import type { AccessStore } from "./store.ts";
import { createTokens, type Tokens } from "./tokens.ts";
import { createUsers, type Users } from "./users.ts";

export interface AccessOptions {
  store: AccessStore;
  clock: Clock;
  logger: Pick<Logger, "info" | "warn" | "error">;
  /** The token of this machine's owner; see machine-token.ts. */
  machineToken: string;
}

/** Who may come in and who did what: all of it, for the dashboard and the control plane. Failures are DashboardErrors. */
export interface Access {
  users: Users;
  sessions: Sessions;
  signIn: SignIn;
  tokens: Tokens;
  /** Writes down what somebody did. Never rejects: what can't be written is told in the log. */
  note(deed: Deed): Promise<void>;
  audit(query: AuditQuery): Promise<AuditPage>;
  /** Whose `Authorization: Bearer` this is. Rejects with UNAUTHENTICATED. */
  bearer(token: string): Promise<Caller>;
  close(): Promise<void>;
}

/** How often what is over is let go of. */
const cleanEveryMs = 10 * 60_000;

export function createAccess(options: AccessOptions): Access {
  const { store, clock, logger, machineToken } = options;
  const audit: Audit = createAudit({ store, clock, logger });
  const sessions = createSessions(store, clock);
  const tokens = createTokens(store, clock);
  let timer: { cancel(): void } | undefined;
  const clean = async (): Promise<void> => {
    const now = clock.now();
    await store
      .clean({ now, idleSince: now - sessionIdleMs, ...audit.bounds(now) })
      .catch((error: unknown) => logger.warn({ err: error }, "what is over could not be cleaned away"));
  };
  const arm = (ms: number): void => {
    timer = clock.setTimeout(() => void clean().then(() => timer && arm(cleanEveryMs)), ms);
  };
  arm(1_000);
  return {
    users: createUsers(store, clock),
    sessions,
    signIn: createSignIn({ store, clock, sessions, note: audit.note }),
    tokens,
    note: audit.note,
    audit: audit.page,
    async bearer(token) {
      if (sameSecret(token, machineToken)) return machineCaller();
      const id = idOfToken(token);
      const caller = id === undefined ? undefined : await tokens.callerOf(id, hashOf(token));
      if (caller === undefined) throw failure("UNAUTHENTICATED", told("token-wrong", {}));
      return caller;
    },
    async close() {
      timer?.cancel();
      timer = undefined;
      await audit.close();
      await store.close();
    },
  };
}
