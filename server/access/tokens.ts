import { type ApiToken, covers, describeGrants, type Grant, type NewApiToken, told } from "../contract/index.ts";
import type { Clock } from "../lib/clock.ts";
import type { Caller } from "./caller.ts";
import { failure } from "./failure.ts";
import { hashOf, newApiToken, sameSecret } from "./secrets.ts";
import type { AccessStore } from "./store.ts";

/** Tokens of programs: each has a scope and an end, and never more than its owner has at the moment. */
export interface Tokens {
  /** One's own; of everybody for administrators. */
  list(by: Caller, everybody: boolean): Promise<ApiToken[]>;
  create(by: Caller, wanted: Required<NewApiToken>): Promise<{ token: string; about: ApiToken }>;
  revoke(by: Caller, id: string, everybody: boolean): Promise<ApiToken>;
  callerOf(id: string, hash: string): Promise<Caller | undefined>;
}

const touchMs = 60_000;
const maxTokensPerOwner = 200;

export function createTokens(store: AccessStore, clock: Clock): Tokens {
  const mine =
    ({ name }: Caller, everybody: boolean) =>
    async () =>
      (await store.tokens()).filter(({ owner, endsAt }) => (everybody || owner === name) && endsAt > clock.now());
  return {
    list: async (by, everybody) => (await mine(by, everybody)()).map(toToken),
    async create(by, { name, grants, ttlSec }) {
      if (!covers(by.grants, grants))
        throw failure("FORBIDDEN", told("grants-exceed", { grants: describeGrants(by.grants) }));
      if ((await mine(by, false)()).length >= maxTokensPerOwner) {
        throw failure("LIMITED", told("tokens-full", { max: maxTokensPerOwner }));
      }
      const { id, token } = newApiToken();
      const now = clock.now();
      const about = { id, name, owner: by.name, grants, createdAt: now, endsAt: now + ttlSec * 1000, usedAt: null };
      await store.addToken({ ...about, hash: hashOf(token) });
      return { token, about };
    },
    async revoke(by, id, everybody) {
      const found = await store.token(id);
      if (found === undefined || !(everybody || found.owner === by.name) || !(await store.deleteToken(id)))
        throw failure("NOT_FOUND", told("no-api-token", { id }));
      return toToken(found);
    },
    async callerOf(id, hash) {
      const found = await store.token(id);
      const now = clock.now();
      if (found === undefined || !sameSecret(found.hash, hash) || found.endsAt <= now) return undefined;
      const grants = await grantsNow(store, found.owner, found.grants);
      if (grants === undefined) return undefined;
      if (now - (found.usedAt ?? 0) > touchMs) await store.touchToken(id, now);
      return { name: found.owner, displayName: found.name, way: "token", grants, hasPassword: false };
    },
  };
}

/** The machine's owner has no account: what was made for it stands. Undefined: its owner is gone. */
async function grantsNow(store: AccessStore, owner: string, grants: Grant[]): Promise<Grant[] | undefined> {
  if (owner === "machine") return grants;
  const user = await store.user(owner);
  if (user === undefined || user.disabled) return undefined;
  // A role that its owner has lost since is lost to the token, too.
  return grants.filter((grant) => covers(user.grants, [grant]));
}

const toToken = ({ id, name, owner, grants, createdAt, endsAt, usedAt }: ApiToken): ApiToken => ({
  id,
  name,
  owner,
  grants,
  createdAt,
  endsAt,
  usedAt,
});
