import type { Clock } from "../lib/clock.ts";
import type { Caller } from "./caller.ts";
import { hashOf, newSecret } from "./secrets.ts";
import type { AccessStore, StoredSession, StoredUser } from "./store.ts";

/** A session ends when nobody used it for so long … */
export const sessionIdleMs = 24 * 3_600_000;
/** … and after this in any case. */
export const sessionMaxMs = 7 * 86_400_000;
/** How exactly it is known when a session was used last. */
const touchMs = 60_000;

export interface Sessions {
  /** Resolves with the secret of a new one: nobody can choose it, or have known it before. */
  begin(user: StoredUser, way: StoredSession["way"]): Promise<string>;
  /** Undefined: it has ended, or was none. */
  callerOf(secret: string): Promise<Caller | undefined>;
  /** Whether it goes on, for answers that last. */
  isOpen(hash: string): Promise<boolean>;
  end(hash: string): Promise<void>;
  /** All of somebody's, everywhere. */
  endAll(userName: string): Promise<number>;
}

export function createSessions(store: AccessStore, clock: Clock): Sessions {
  const open = async (hash: string) => {
    const found = await store.session(hash);
    const now = clock.now();
    if (found === undefined || found.user.disabled) return undefined;
    const { endsAt, seenAt } = found.session;
    return endsAt <= now || seenAt + sessionIdleMs <= now ? undefined : found;
  };
  return {
    async begin(user, way) {
      const secret = newSecret();
      const now = clock.now();
      const session = { hash: hashOf(secret), userName: user.name, way, createdAt: now, seenAt: now };
      await store.addSession({ ...session, endsAt: now + sessionMaxMs });
      return secret;
    },
    async callerOf(secret) {
      const hash = hashOf(secret);
      const found = await open(hash);
      if (found === undefined) return undefined;
      const now = clock.now();
      if (now - found.session.seenAt > touchMs) await store.touchSession(hash, now);
      return { ...callerOfUser(found.user), way: found.session.way, sessionHash: hash };
    },
    isOpen: async (hash) => (await open(hash)) !== undefined,
    end: (hash) => store.endSession(hash),
    endAll: (userName) => store.endSessions(userName),
  };
}

export const callerOfUser = (user: StoredUser): Omit<Caller, "way"> => ({
  name: user.name,
  displayName: user.displayName,
  grants: user.grants,
  hasPassword: user.password !== null,
});
