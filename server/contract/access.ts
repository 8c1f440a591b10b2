import { z } from "zod";

/** What a person or a program may do at the console, from the least to the most. */
export const roles = ["viewer", "operator", "administrator"] as const;
export const Role = z.enum(roles);
export type Role = z.infer<typeof Role>;

/** In place of a namespace: the whole mesh. */
export const wholeMesh = "*";

const namespacePattern = /^(?:\*|[a-z0-9](?:[-a-z0-9]{0,61}[a-z0-9])?)$/;

/** A role, in one namespace or (`*`) in the whole mesh. */
export const Grant = z.strictObject({
  role: Role,
  namespace: z.string().regex(namespacePattern, "must be a namespace, or * for the whole mesh"),
});
export type Grant = z.infer<typeof Grant>;

export const Grants = z.array(Grant).min(1).max(100);

/** What a call needs: a role in the whole mesh, in one namespace, or in any (`namespace` left out). */
export interface Need {
  role: Role;
  namespace?: string | undefined;
}

/** Higher roles have what lower ones have, and the whole mesh has every namespace. Whoever has any grant may look at the whole mesh. */
export function allows(grants: readonly Grant[], { role, namespace }: Need): boolean {
  const needed = roles.indexOf(role);
  return grants.some(
    (grant) =>
      roles.indexOf(grant.role) >= needed &&
      (namespace === undefined || grant.namespace === wholeMesh || grant.namespace === namespace),
  );
}

/** Whether everything that `inner` may do is also allowed by `outer`: nobody hands on more than they have. */
export const covers = (outer: readonly Grant[], inner: readonly Grant[]): boolean =>
  inner.every(({ role, namespace }) => allows(outer, { role, namespace }));

/** `operator in payments, viewer`. */
export const describeGrants = (grants: readonly Grant[]): string =>
  grants.map(({ role, namespace }) => (namespace === wholeMesh ? role : `${role} in ${namespace}`)).join(", ");

/** Where to go after signing in: an address of the dashboard's own pages and nothing else, whatever a link says. */
export function ownAddress(next: unknown): string {
  const home = "/";
  if (typeof next !== "string" || next.length > 2_000 || !/^\/(?![/\\])/.test(next)) return home;
  const base = "http://dashboard.invalid";
  const url = URL.parse(next, base);
  if (url === null || url.origin !== base || /^\/(?:api|sign-in)(?:\/|$)/.test(url.pathname)) return home;
  // Dots may have led to a path that a browser would take for a host.
  return url.pathname.startsWith("//") ? home : url.pathname + url.search;
}

export const ways = ["password", "link", "oidc", "token", "machine"] as const;

/** Who is signed in; `GET /api/session`. */
export const Session = z.object({
  name: z.string(),
  displayName: z.string(),
  /** How they came in: `machine` is whoever can read the data folder of this machine. */
  way: z.enum(ways),
  grants: z.array(Grant),
  hasPassword: z.boolean(),
});
export type Session = z.infer<typeof Session>;

/** A name that is good in a URL and in a log line. */
export const UserName = z
  .string()
  .regex(
    /^[a-z0-9](?:[a-z0-9._@+-]{0,62}[a-z0-9])?$/,
    "must be 1 to 64 lower case letters, digits and . _ @ + - , with a letter or digit at both ends",
  );

export const minPasswordLength = 12;
/** By length, as NIST SP 800-63B §3.1.1 wants it, and without rules of composition. */
export const Password = z
  .string()
  .min(minPasswordLength, `must have ${minPasswordLength} characters or more`)
  .max(256, "must have 256 characters or fewer");

export const PasswordSignIn = z.strictObject({ name: z.string().max(64), password: z.string().max(256) });
export const LinkSignIn = z.strictObject({ link: z.string().max(200) });
/** `PUT /api/session/password`: `current` is needed by whoever has one. */
export const PasswordChange = z.strictObject({ current: z.string().max(256).optional(), password: Password });

/** `GET /api/sign-in`: what the sign-in page offers. */
export const SignInWays = z.object({
  /** Nobody has signed in yet: there is nothing but the link. */
  isNew: z.boolean(),
  password: z.boolean(),
  /** What the identity provider is called; null where there is none. */
  oidc: z.string().nullable(),
  /** The command that prints a new link. */
  command: z.string(),
});
export type SignInWays = z.infer<typeof SignInWays>;

export const User = z.object({
  name: z.string(),
  displayName: z.string(),
  grants: z.array(Grant),
  /** Roles come from the identity provider at each sign-in. */
  fromProvider: z.boolean(),
  hasPassword: z.boolean(),
  disabled: z.boolean(),
  createdAt: z.number(),
  lastSignInAt: z.number().nullable(),
  sessions: z.number(),
});
export type User = z.infer<typeof User>;
export const UserList = z.object({ users: z.array(User) });

export const NewUser = z.strictObject({
  name: UserName,
  displayName: z.string().trim().max(100).default(""),
  grants: Grants,
  /** Left out: they come by a link, or by the identity provider. */
  password: Password.optional(),
});
export type NewUser = z.input<typeof NewUser>;

export const UserChange = z.strictObject({
  displayName: z.string().trim().max(100).optional(),
  grants: Grants.optional(),
  password: Password.nullable().optional(),
  disabled: z.boolean().optional(),
});
export type UserChange = z.infer<typeof UserChange>;

/** A link that signs one person in, once. */
export const SignInLink = z.object({ url: z.string(), name: z.string(), endsAt: z.number() });
export type SignInLink = z.infer<typeof SignInLink>;
export const NewSignInLink = z.strictObject({ name: UserName.optional() });

export const ApiToken = z.object({
  id: z.string(),
  name: z.string(),
  owner: z.string(),
  grants: z.array(Grant),
  createdAt: z.number(),
  endsAt: z.number(),
  usedAt: z.number().nullable(),
});
export type ApiToken = z.infer<typeof ApiToken>;
export const ApiTokenList = z.object({ tokens: z.array(ApiToken) });

export const maxTokenDays = 366;
export const NewApiToken = z.strictObject({
  name: z.string().trim().min(1).max(100),
  grants: Grants,
  ttlSec: z
    .int()
    .min(60)
    .max(maxTokenDays * 86_400)
    .default(30 * 86_400),
});
export type NewApiToken = z.input<typeof NewApiToken>;
/** The only time that the token itself is shown. */
export const MadeApiToken = z.object({ token: z.string(), about: ApiToken });

export const auditResults = ["done", "refused", "failed"] as const;
/** What the audit has a name for; anything else is there by its method and where it was sent to. */
export const auditActions = [
  "sign-in",
  "sign-out",
  "password.change",
  "link.create",
  "user.create",
  "user.change",
  "user.delete",
  "user.sign-out",
  "token.create",
  "token.revoke",
  "config.write",
  "join-token.create",
  "join-token.delete",
  "identity.revoke",
  "identity.restore",
  "proxy.forget",
  "proxy.log-level",
  "retention.set",
  "alert-receiver.set",
  "alert-receiver.delete",
  "alert-receiver.test",
  "load-test.start",
  "load-test.stop",
  "load-test.keep",
  "load-test.delete",
] as const;
export type AuditAction = (typeof auditActions)[number];
export const AuditEntry = z.object({
  id: z.number(),
  at: z.number(),
  /** Empty: nobody that is known. */
  actor: z.string(),
  way: z.string(),
  /** Where the call came from. */
  address: z.string(),
  /** One of `auditActions`, or such as `PUT config` and `POST /api/undo`. */
  action: z.string(),
  target: z.string(),
  result: z.enum(auditResults),
  /** Why it was refused or failed, or what was asked for. */
  reason: z.string(),
  /** What it changed, as a unified diff; empty for what changes no object. */
  diff: z.string(),
});
export type AuditEntry = z.infer<typeof AuditEntry>;

export const AuditQuery = z.strictObject({
  actor: z.string().max(200).optional(),
  action: z.string().max(100).optional(),
  result: z.enum(auditResults).optional(),
  /** Only entries before this one. */
  before: z.coerce.number().int().min(1).optional(),
  limit: z.coerce.number().int().min(1).max(500).default(100),
});
export type AuditQuery = z.infer<typeof AuditQuery>;

/** Newest first. */
export const AuditPage = z.object({
  entries: z.array(AuditEntry),
  more: z.boolean(),
  /** What is kept: entries older than this many days, or past so many, are let go. */
  keptDays: z.number(),
  keptEntries: z.number(),
});
export type AuditPage = z.infer<typeof AuditPage>;
