import {
  allows,
  describeGrants,
  type Grant,
  type NewUser,
  told,
  type User,
  type UserChange,
  wholeMesh,
} from "../contract/index.ts";
import type { Clock } from "../lib/clock.ts";
import { Attempts } from "./attempts.ts";
import type { Caller } from "./caller.ts";
import { failure } from "./failure.ts";
import { checkPassword, hashPassword, PasswordsBusyError } from "./passwords.ts";
import { sessionIdleMs } from "./sessions.ts";
import type { AccessStore, StoredUser } from "./store.ts";

/**
 * Of people. Administrators of some namespaces look after whoever has roles there alone; the last administrator of the mesh stays one. All reject with
 * DashboardErrors.
 */
export interface Users {
  list(): Promise<User[]>;
  create(by: Caller, user: NewUser): Promise<User>;
  change(by: Caller, name: string, change: UserChange): Promise<User>;
  remove(by: Caller, name: string): Promise<void>;
  /** Ends every session of theirs. */
  signOut(by: Caller, name: string): Promise<void>;
  /** One's own. `current` is needed by whoever has one. Ends every session of theirs but the one that they do it in. */
  setPassword(by: Caller, change: { current?: string | undefined; password: string }, address: string): Promise<void>;
}

/** Whoever has somebody's session shall not find their password by it. */
const passwordTries = { failures: 5, windowMs: 15 * 60_000 };

export function createUsers(store: AccessStore, clock: Clock): Users {
  const attempts = new Attempts(passwordTries, clock);
  const shown = async (name: string): Promise<User> => {
    const user = await store.user(name);
    if (user === undefined) throw noUser(name);
    return toUser(user, await counts());
  };
  const counts = () => store.sessionCounts(clock.now(), clock.now() - sessionIdleMs);
  return {
    async list() {
      const open = await counts();
      return (await store.users()).map((user) => toUser(user, open));
    },
    async create(by, { name, displayName = "", grants, password }) {
      mustAdminister(by, grants);
      const user: StoredUser = {
        name,
        displayName,
        grants,
        password: password === undefined ? null : await hashed(password),
        provider: null,
        disabled: false,
        createdAt: clock.now(),
        lastSignInAt: null,
      };
      if (!(await store.addUser(user))) throw failure("CONFLICT", told("user-exists", { name }));
      return shown(name);
    },
    async change(by, name, { displayName, grants, password, disabled }) {
      const hash = password === undefined || password === null ? password : await hashed(password);
      const changed = await store.changeUser(name, (user, all) => {
        // Roles alone: of what is added and taken away. Anything else concerns the whole person.
        const rolesOnly = grants && password === undefined && disabled === undefined && displayName === undefined;
        mustAdminister(by, rolesOnly ? differing(user.grants, grants) : [...user.grants, ...(grants ?? [])]);
        if (grants && user.provider) throw failure("FORBIDDEN", told("provider-roles", { name }));
        const next: StoredUser = {
          ...user,
          ...(displayName !== undefined && { displayName }),
          ...(grants && { grants }),
          ...(hash !== undefined && { password: hash }),
          ...(disabled !== undefined && { disabled }),
        };
        keepAnAdministrator(user, next, all);
        return next;
      });
      if (!changed) throw noUser(name);
      // Whoever knew the old password, or was let go, is out everywhere.
      if (hash !== undefined || disabled) await store.endSessions(name);
      if (disabled) await store.deleteTokensOf(name);
      return shown(name);
    },
    async remove(by, name) {
      const removed = await store.changeUser(name, (user, all) => {
        mustAdminister(by, user.grants);
        keepAnAdministrator(user, undefined, all);
        return undefined;
      });
      if (!removed) throw noUser(name);
      await store.deleteTokensOf(name);
    },
    async signOut(by, name) {
      const user = await store.user(name);
      if (user === undefined) throw noUser(name);
      mustAdminister(by, user.grants);
      await store.endSessions(name);
    },
    async setPassword({ name, sessionHash }, { current, password }, address) {
      const user = await store.user(name);
      if (user === undefined) throw noUser(name);
      if (user.password !== null) {
        const key = `${address} ${name}`;
        const waitMs = attempts.waitMs(key);
        if (waitMs > 0) throw failure("LIMITED", told("sign-in-limited", { seconds: Math.ceil(waitMs / 1000) }));
        attempts.begin(key);
        if (!(await isRight(current ?? "", user.password)))
          throw failure("FORBIDDEN", told("password-current-wrong", {}));
        attempts.succeeded(key);
      }
      const hash = await hashed(password);
      await store.changeUser(name, (found) => ({ ...found, password: hash }));
      await store.endSessions(name, sessionHash);
    },
  };
}

export const isAdministrator = ({ grants, disabled }: Pick<StoredUser, "grants" | "disabled">): boolean =>
  !disabled && grants.some(({ role, namespace }) => role === "administrator" && namespace === wholeMesh);

function keepAnAdministrator(before: StoredUser, after: StoredUser | undefined, all: readonly StoredUser[]): void {
  if (!isAdministrator(before) || (after && isAdministrator(after))) return;
  if (all.some((user) => user.name !== before.name && isAdministrator(user))) return;
  throw failure("CONFLICT", told("last-administrator", { name: before.name }));
}

/** Of everything that these grants reach. */
function mustAdminister(by: Caller, grants: readonly Grant[]): void {
  if (grants.every(({ namespace }) => allows(by.grants, { role: "administrator", namespace }))) return;
  throw failure("FORBIDDEN", told("grants-exceed", { grants: describeGrants(by.grants) }));
}

const sameGrant = (a: Grant) => (b: Grant) => a.role === b.role && a.namespace === b.namespace;
const differing = (before: readonly Grant[], after: readonly Grant[]): Grant[] => [
  ...before.filter((grant) => !after.some(sameGrant(grant))),
  ...after.filter((grant) => !before.some(sameGrant(grant))),
];

const busy = (error: unknown): never => {
  throw error instanceof PasswordsBusyError ? failure("BUSY", told("sign-in-busy", {})) : error;
};
const hashed = (password: string): Promise<string> => hashPassword(password).catch(busy);
const isRight = (password: string, kept: string | null): Promise<boolean> => checkPassword(password, kept).catch(busy);

const noUser = (name: string) => failure("NOT_FOUND", told("no-user", { name }));

const toUser = (user: StoredUser, open: ReadonlyMap<string, number>): User => ({
  name: user.name,
  displayName: user.displayName,
  grants: user.grants,
  fromProvider: user.provider !== null,
  hasPassword: user.password !== null,
  disabled: user.disabled,
  createdAt: user.createdAt,
  lastSignInAt: user.lastSignInAt,
  sessions: open.get(user.name) ?? 0,
});
