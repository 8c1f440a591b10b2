import {
  covers,
  describeGrants,
  type NewUser,
  told,
  type User,
  type UserChange,
  wholeMesh,
} from "../contract/index.ts";
import type { Clock } from "../lib/clock.ts";
import type { Caller } from "./caller.ts";
import { failure } from "./failure.ts";
import { checkPassword, hashPassword, PasswordsBusyError } from "./passwords.ts";
import { sessionIdleMs } from "./sessions.ts";
import type { AccessStore, StoredUser } from "./store.ts";

/** Of people. Roles are handed on by whoever has them; the last administrator stays one. */
export interface Users {
  list(): Promise<User[]>;
  create(by: Caller, user: NewUser): Promise<User>;
  change(by: Caller, name: string, change: UserChange): Promise<User>;
  remove(by: Caller, name: string): Promise<void>;
  /** One's own. `current` is needed by whoever has one. Ends every session of theirs. */
  setPassword(name: string, current: string | undefined, password: string): Promise<void>;
}

export function createUsers(store: AccessStore, clock: Clock): Users {
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
      mayHandOn(by, grants);
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
      if (grants) mayHandOn(by, grants);
      const hash = password === undefined || password === null ? password : await hashed(password);
      const changed = await store.changeUser(name, (user, all) => {
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
    async remove(_by, name) {
      const removed = await store.changeUser(name, (user, all) => {
        keepAnAdministrator(user, undefined, all);
        return undefined;
      });
      if (!removed) throw noUser(name);
      await store.deleteTokensOf(name);
    },
    async setPassword(name, current, password) {
      const user = await store.user(name);
      if (user === undefined) throw noUser(name);
      if (user.password !== null && !(await isRight(current ?? "", user.password))) {
        throw failure("FORBIDDEN", told("password-current-wrong", {}));
      }
      const hash = await hashed(password);
      await store.changeUser(name, (found) => ({ ...found, password: hash }));
      await store.endSessions(name);
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

function mayHandOn(by: Caller, grants: StoredUser["grants"]): void {
  if (!covers(by.grants, grants)) {
    throw failure("FORBIDDEN", told("grants-exceed", { grants: describeGrants(by.grants) }));
  }
}

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
