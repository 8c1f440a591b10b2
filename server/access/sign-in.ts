import { createHash } from "node:crypto";
import { type Grant, told, UserName, wholeMesh } from "../contract/index.ts";
import type { Clock } from "../lib/clock.ts";
import { Attempts } from "./attempts.ts";
import type { Audit, Deed } from "./audit.ts";
import { failure } from "./failure.ts";
import { checkPassword, PasswordsBusyError } from "./passwords.ts";
import { hashOf, newSecret } from "./secrets.ts";
import type { Sessions } from "./sessions.ts";
import type { AccessStore, StoredSession, StoredUser } from "./store.ts";
import { isAdministrator } from "./users.ts";

export interface SignedIn {
  /** Of the new session, for the cookie. */
  secret: string;
  name: string;
}

/** Whom an identity provider vouches for. */
export interface ProviderClaims {
  issuer: string;
  subject: string;
  /** What they are called there. */
  name: string;
  displayName: string;
  /** What their groups mean here; empty: nothing. */
  grants: Grant[];
}

/** The ways in. Each is written down, also when it fails; all reject with a DashboardError. `address`: where the call came from. */
export interface SignIn {
  byPassword(given: { name: string; password: string }, address: string): Promise<SignedIn>;
  /** Each link once. The first one makes the first administrator. */
  byLink(link: string, address: string): Promise<SignedIn>;
  byProvider(claims: ProviderClaims, address: string): Promise<SignedIn>;
  /** For `name`, or an administrator. */
  makeLink(name: string | undefined): Promise<{ link: string; name: string; endsAt: number }>;
  /** Nobody is kept here yet. */
  isNew(): Promise<boolean>;
  hasPasswords(): Promise<boolean>;
}

/** A link is printed at the start, and people may come to it after lunch. */
export const linkMs = 12 * 3_600_000;
const firstAdministrator = "admin";

interface SignInOptions {
  store: AccessStore;
  clock: Clock;
  sessions: Sessions;
  note: Audit["note"];
}

const windowMs = 15 * 60_000;
/** Of one account from one address; of one address; of one account from everywhere: so much that nobody is locked out by a stranger's few tries. */
const limits = {
  pair: { failures: 5, windowMs },
  address: { failures: 30, windowMs },
  account: { failures: 100, windowMs },
};

export function createSignIn({ store, clock, sessions, note }: SignInOptions): SignIn {
  const attempts = {
    pair: new Attempts(limits.pair, clock),
    address: new Attempts(limits.address, clock),
    account: new Attempts(limits.account, clock),
  };
  const noteSignIn = (deed: Omit<Deed, "action">) => note({ ...deed, action: "sign-in" });
  const letIn = async (user: StoredUser, way: StoredSession["way"], address: string): Promise<SignedIn> => {
    const secret = await sessions.begin(user, way);
    await store.changeUser(user.name, (found) => ({ ...found, lastSignInAt: clock.now() }));
    await noteSignIn({ actor: user.name, way, address, result: "done" });
    return { secret, name: user.name };
  };

  return {
    async byPassword({ name, password }, address) {
      const counted = [
        [attempts.pair, `${address} ${name}`],
        [attempts.address, address],
        [attempts.account, name],
      ] as const;
      const waitMs = Math.max(...counted.map(([attempt, key]) => attempt.waitMs(key)));
      // Not written down one by one: the attempts before are, and whoever goes on must not fill the audit.
      if (waitMs > 0) throw failure("LIMITED", told("sign-in-limited", { seconds: Math.ceil(waitMs / 1000) }));
      for (const [attempt, key] of counted) attempt.begin(key);
      const user = await store.user(name);
      const isRight = await checkPassword(password, user?.password ?? null).catch((error: unknown) => {
        throw error instanceof PasswordsBusyError ? failure("BUSY", told("sign-in-busy", {})) : error;
      });
      if (user === undefined || !isRight || user.disabled) {
        await noteSignIn({ actor: "", way: "password", address, target: name, result: "refused", reason: "wrong" });
        throw failure("UNAUTHENTICATED", told("sign-in-wrong", {}));
      }
      attempts.pair.succeeded(`${address} ${name}`);
      return letIn(user, "password", address);
    },

    async byLink(link, address) {
      const taken = await store.takeLink(hashOf(link));
      const user =
        taken === undefined || taken.endsAt <= clock.now() ? undefined : await userOfLink(store, clock, taken.userName);
      if (user === undefined || user.disabled) {
        // A right one is let in however many wrong ones came before: nobody guesses 256 bits, and nobody shall keep others out by trying.
        const waitMs = attempts.address.waitMs(`link ${address}`);
        if (waitMs > 0) throw failure("LIMITED", told("sign-in-limited", { seconds: Math.ceil(waitMs / 1000) }));
        attempts.address.begin(`link ${address}`);
        await noteSignIn({ actor: "", way: "link", address, result: "refused", reason: "used, too old, or none" });
        throw failure("UNAUTHENTICATED", told("link-gone", {}));
      }
      return letIn(user, "link", address);
    },

    async byProvider(claims, address) {
      const { issuer, subject, grants } = claims;
      const known = await store.userOfProvider({ issuer, subject });
      const refuse = async (why: ReturnType<typeof told>, reason = why.message) => {
        await noteSignIn({
          actor: "",
          way: "oidc",
          address,
          target: claims.name,
          result: "refused",
          reason,
        });
        return failure("FORBIDDEN", why);
      };
      if (grants.length === 0) {
        if (known) await store.endSessions(known.name);
        throw await refuse(told("oidc-no-role", {}));
      }
      if (known?.disabled) throw await refuse(told("oidc-failed", {}), "the account is disabled");
      return letIn(known ? await renewed(store, known, claims) : await added(store, clock, claims), "oidc", address);
    },

    async makeLink(name) {
      const user = name === undefined ? (await store.users()).find(isAdministrator) : await store.user(name);
      if (name !== undefined && user === undefined) throw failure("NOT_FOUND", told("no-user", { name }));
      const link = newSecret();
      const endsAt = clock.now() + linkMs;
      await store.addLink({ hash: hashOf(link), userName: name ?? null, endsAt });
      return { link, name: user?.name ?? firstAdministrator, endsAt };
    },

    isNew: async () => (await store.users()).length === 0,
    hasPasswords: async () => (await store.users()).some(({ password, disabled }) => password !== null && !disabled),
  };
}

/** Null: an administrator, who is made where there is none. */
async function userOfLink(store: AccessStore, clock: Clock, name: string | null): Promise<StoredUser | undefined> {
  if (name !== null) return store.user(name);
  const users = await store.users();
  const administrator = users.find(isAdministrator);
  if (administrator) return administrator;
  const free = [firstAdministrator, ...Array.from({ length: 99 }, (_, i) => `${firstAdministrator}${i + 2}`)];
  const made: StoredUser = {
    name: free.find((one) => users.every((user) => user.name !== one)) ?? firstAdministrator,
    displayName: "",
    grants: [{ role: "administrator", namespace: wholeMesh }],
    password: null,
    provider: null,
    disabled: false,
    createdAt: clock.now(),
    lastSignInAt: null,
  };
  await store.addUser(made);
  return store.user(made.name);
}

/** Roles are the provider's to say at each sign-in. */
async function renewed(store: AccessStore, known: StoredUser, claims: ProviderClaims): Promise<StoredUser> {
  const { displayName, grants } = claims;
  await store.changeUser(known.name, (user) => ({ ...user, displayName, grants }));
  return { ...known, displayName, grants };
}

/** Never somebody else's account: an account is found by issuer and subject, and only its name is like theirs. */
async function added(store: AccessStore, clock: Clock, claims: ProviderClaims): Promise<StoredUser> {
  const { issuer, subject, displayName, grants } = claims;
  const suffix = createHash("sha256").update(`${issuer}\n${subject}`).digest("hex").slice(0, 8);
  const wanted = claims.name
    .toLowerCase()
    .replace(/[^a-z0-9._@+-]/g, "-")
    .slice(0, 50);
  const plain = UserName.safeParse(wanted).success ? wanted : `person-${suffix}`;
  for (const name of [plain, `${plain}-${suffix}`]) {
    const user: StoredUser = {
      name,
      displayName: displayName.slice(0, 100),
      grants,
      password: null,
      provider: { issuer, subject },
      disabled: false,
      createdAt: clock.now(),
      lastSignInAt: null,
    };
    if (await store.addUser(user)) return user;
  }
  throw failure("CONFLICT", told("user-exists", { name: plain }));
}
