import { afterEach, beforeEach, expect, it } from "vitest";
import type { AccessStore, StoredUser } from "../../../access/store.ts";

const at = Date.now();
const user = (name: string, more: Partial<StoredUser> = {}): StoredUser => ({
  name,
  displayName: "",
  grants: [{ role: "operator", namespace: "shop" }],
  password: null,
  provider: null,
  disabled: false,
  createdAt: at,
  lastSignInAt: null,
  ...more,
});
const entry = (actor: string, when = at) => ({
  at: when,
  actor,
  way: "password",
  address: "127.0.0.1",
  action: "sign-in",
  target: "",
  result: "done" as const,
  reason: "",
  diff: "-a\n+b",
});

/** What every AccessStore does. */
export function accessStoreContract(open: () => Promise<AccessStore>, raw: (sql: string) => Promise<unknown>): void {
  let store: AccessStore;
  beforeEach(async () => {
    store = await open();
  });
  afterEach(() => store.close());

  it("keeps people, once by name and once by provider", async () => {
    const provider = { issuer: "https://id.example.com", subject: "7" };
    expect(await store.addUser(user("ann", { provider, password: "p" }))).toBe(true);
    expect(await store.addUser(user("ann"))).toBe(false);
    expect(await store.addUser(user("other", { provider }))).toBe(false);
    expect(await store.user("ann")).toEqual(user("ann", { provider, password: "p" }));
    expect(await store.userOfProvider(provider)).toEqual(await store.user("ann"));
    expect(await store.userOfProvider({ ...provider, subject: "8" })).toBeUndefined();
  });

  it("changes people one after another, and not at all when the change is refused", async () => {
    await store.addUser(user("ann"));
    await store.addUser(user("bob"));
    const disableUnlessLast = (name: string) =>
      store.changeUser(name, (found, all) => {
        if (all.filter(({ disabled }) => !disabled).length < 2) throw new Error("the last");
        return { ...found, disabled: true };
      });
    const outcomes = await Promise.allSettled([disableUnlessLast("ann"), disableUnlessLast("bob")]);
    expect(outcomes.map(({ status }) => status).toSorted()).toEqual(["fulfilled", "rejected"]);
    expect((await store.users()).filter(({ disabled }) => disabled)).toHaveLength(1);
    expect(await store.changeUser("nobody", (found) => found)).toBe(false);
    expect(await store.changeUser("ann", () => undefined)).toBe(true);
    expect(await store.user("ann")).toBeUndefined();
  });

  it("keeps sessions with their people, who take them along when they go", async () => {
    await store.addUser(user("ann"));
    const session = { userName: "ann", way: "link" as const, createdAt: at, seenAt: at, endsAt: at + 1000 };
    for (const hash of ["a", "b", "c"]) await store.addSession({ ...session, hash });
    expect(await store.session("a")).toEqual({ session: { ...session, hash: "a" }, user: user("ann") });
    await store.touchSession("a", at + 5);
    expect((await store.session("a"))?.session.seenAt).toBe(at + 5);
    expect(await store.sessionCounts(at, at - 1)).toEqual(new Map([["ann", 3]]));
    await store.endSession("a");
    expect(await store.session("a")).toBeUndefined();
    expect(await store.endSessions("ann", "b")).toBe(1);
    expect(await store.endSessions("ann")).toBe(1);
    await store.addSession({ ...session, hash: "d" });
    await store.changeUser("ann", () => undefined);
    expect(await store.session("d")).toBeUndefined();
  });

  it("keeps tokens until they are revoked", async () => {
    const token = {
      id: "t1",
      hash: "h",
      name: "ci",
      owner: "ann",
      grants: [{ role: "viewer" as const, namespace: "*" }],
      createdAt: at,
      endsAt: at + 1000,
      usedAt: null,
    };
    await store.addToken(token);
    await store.touchToken("t1", at + 1);
    expect(await store.tokens()).toEqual([{ ...token, usedAt: at + 1 }]);
    expect(await store.deleteToken("t1")).toBe(true);
    expect(await store.deleteToken("t1")).toBe(false);
    await store.addToken(token);
    await store.deleteTokensOf("ann");
    expect(await store.token("t1")).toBeUndefined();
  });

  it("gives a link to one alone, however many ask at once", async () => {
    await store.addLink({ hash: "l", userName: null, endsAt: at });
    const taken = await Promise.all(Array.from({ length: 8 }, () => store.takeLink("l")));
    expect(taken.filter((one) => one !== undefined)).toEqual([{ hash: "l", userName: null, endsAt: at }]);
  });

  it("only adds to the audit, also for whoever has the database", async () => {
    await store.appendAudit(entry("ann"));
    await store.appendAudit({ ...entry("bob"), result: "refused", action: "config.write" });
    const [newest, oldest] = await store.audit({ limit: 10 });
    expect([newest?.actor, oldest]).toEqual(["bob", { id: oldest?.id, ...entry("ann") }]);
    expect(await store.audit({ actor: "ann", limit: 10 })).toEqual([oldest]);
    expect(await store.audit({ result: "refused", action: "config.write", limit: 10 })).toEqual([newest]);
    expect(await store.audit({ before: newest?.id, limit: 1 })).toEqual([oldest]);
    await expect(raw(`UPDATE "audit_entry" SET "actor" = 'eve'`)).rejects.toThrow("only added to");
    await expect(raw(`DELETE FROM "audit_entry"`)).rejects.toThrow("only added to");
    expect(await store.audit({ limit: 10 })).toHaveLength(2);
  });

  it("lets go of what is over, and of the oldest entries past what is kept", async () => {
    await store.addUser(user("ann"));
    const session = { userName: "ann", way: "link" as const, createdAt: at, seenAt: at };
    await store.addSession({ ...session, hash: "over", endsAt: at - 1 });
    await store.addSession({ ...session, hash: "idle", seenAt: at - 100, endsAt: at + 1000 });
    await store.addSession({ ...session, hash: "open", endsAt: at + 1000 });
    await store.addLink({ hash: "old", userName: null, endsAt: at - 1 });
    await store.appendAudit(entry("long ago", at - 500 * 86_400_000));
    await store.appendAudit(entry("now"));
    await store.clean({ now: at, idleSince: at - 50, auditSince: at - 400 * 86_400_000, maxAudit: 50_000 });
    const left = await Promise.all(
      ["over", "idle", "open"].map(async (hash) => (await store.session(hash)) !== undefined),
    );
    expect(left).toEqual([false, false, true]);
    expect(await store.takeLink("old")).toBeUndefined();
    expect((await store.audit({ limit: 10 })).map(({ actor }) => actor)).toEqual(["now"]);
  });
}
