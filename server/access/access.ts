import { type AuditPage, type AuditQuery, told } from "../contract/index.ts";
import type { Clock } from "../lib/clock.ts";
import type { Logger } from "../lib/logger.ts";
import { Attempts } from "./attempts.ts";
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
  /**
   * Whose `Authorization: Bearer` this is; `address`: where the call came from. Rejects with UNAUTHENTICATED, and with LIMITED for one wrong token too many of
   * an address. A right one is let in however many wrong ones came before: on loopback everybody has one address.
   */
  bearer(token: string, address: string): Promise<Caller>;
  close(): Promise<void>;
}

/** Of one address. */
const wrongTokens = { failures: 30, windowMs: 15 * 60_000 };
/** How often what is over is let go of. */
const cleanEveryMs = 10 * 60_000;

export function createAccess(options: AccessOptions): Access {
  const { store, clock, logger, machineToken } = options;
  const audit: Audit = createAudit({ store, clock, logger });
  const sessions = createSessions(store, clock);
  const tokens = createTokens(store, clock);
  const guesses = new Attempts(wrongTokens, clock);
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
    async bearer(token, address) {
      if (sameSecret(token, machineToken)) return machineCaller();
      const id = idOfToken(token);
      const caller = id === undefined ? undefined : await tokens.callerOf(id, hashOf(token));
      if (caller) return caller;
      const waitMs = guesses.waitMs(address);
      if (waitMs > 0) throw failure("LIMITED", told("sign-in-limited", { seconds: Math.ceil(waitMs / 1000) }));
      guesses.begin(address);
      throw failure("UNAUTHENTICATED", told("token-wrong", {}));
    },
    async close() {
      timer?.cancel();
      timer = undefined;
      await audit.close();
      await store.close();
    },
  };
}
