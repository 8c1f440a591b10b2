import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { openSqliteAccessStore } from "../store/access/sqlite-access-store.ts";
import { type Access, createAccess } from "./access.ts";
import { type Caller, machineCaller } from "./caller.ts";
import { ensureMachineToken, machineTokenFile } from "./machine-token.ts";
import { checkPassword, hashPassword } from "./passwords.ts";
import { newSecret } from "./secrets.ts";
import { sessionIdleMs, sessionMaxMs } from "./sessions.ts";
import { linkMs } from "./sign-in.ts";

const address = "10.0.0.1";
let folder: string;
let now: number;
let access: Access;
const logged: object[] = [];
const machine = machineCaller();
const operator = [{ role: "operator" as const, namespace: "*" }];
const password = "correct horse battery";

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), "limpid-access-"));
  now = Date.now();
  logged.length = 0;
  const migrations = resolve(import.meta.dirname, "../../prisma/access/migrations");
  access = createAccess({
    store: await openSqliteAccessStore({ path: join(folder, "access.db"), migrations }),
    clock: { now: () => now, setTimeout: () => ({ cancel: () => undefined }) },
    logger: { info: (it: object) => void logged.push(it), warn() {}, error() {} } as never,
    machineToken: ensureMachineToken(folder),
  });
});
afterEach(async () => {
  await access.close();
  rmSync(folder, { recursive: true, force: true });
});

const codeOf = (promise: Promise<unknown>): Promise<string> =>
  promise.then(
    () => "done",
    (error) => `${error.code} ${error.reason ?? error.message}`,
  );
const signIn = (name: string, given: string, from = "10.0.0.1") =>
  access.signIn.byPassword({ name, password: given }, from);
const callerOf = async (secret: string): Promise<Caller> => {
  const caller = await access.sessions.callerOf(secret);
  if (caller === undefined) throw new Error("no session");
  return caller;
};

describe("links", () => {
  it("make the first administrator, once, and not after their time", async () => {
    expect(await access.signIn.isNew()).toBe(true);
    const { link, name } = await access.signIn.makeLink(undefined);
    const signed = await access.signIn.byLink(link, "127.0.0.1");
    expect([name, signed.name]).toEqual(["admin", "admin"]);
    expect(await callerOf(signed.secret)).toMatchObject({ name: "admin", way: "link", grants: machine.grants });
    expect(await codeOf(access.signIn.byLink(link, "127.0.0.1"))).toBe("UNAUTHENTICATED link-gone");
    const late = await access.signIn.makeLink("admin");
    now += linkMs;
    expect(await codeOf(access.signIn.byLink(late.link, "127.0.0.1"))).toBe("UNAUTHENTICATED link-gone");
    expect(await codeOf(access.signIn.byLink(newSecret(), "127.0.0.1"))).toBe("UNAUTHENTICATED link-gone");
    expect(await access.users.list()).toHaveLength(1);
  });

  it("are limited to a few tries", async () => {
    for (let i = 0; i < 30; i++) await codeOf(access.signIn.byLink(newSecret(), "10.0.0.9"));
    expect(await codeOf(access.signIn.byLink(newSecret(), "10.0.0.9"))).toBe("LIMITED sign-in-limited");
    const { link } = await access.signIn.makeLink(undefined);
    expect(await codeOf(access.signIn.byLink(link, "10.0.0.9"))).toBe("done");
  });
});

describe("passwords", () => {
  it("are kept by scrypt, and are the same however they are typed", async () => {
    const kept = await hashPassword("caf\u00e9 au lait, please");
    expect(kept).toMatch(/^scrypt\$32768\$8\$3\$/);
    expect(await checkPassword("cafe\u0301 au lait, please", kept)).toBe(true);
    expect(await checkPassword("cafe au lait, please", kept)).toBe(false);
    expect(await checkPassword("", null)).toBe(false);
  });

  it("are tried a few times, and strangers don't lock anybody out", async () => {
    await access.users.create(machine, { name: "ann", grants: operator, password });
    expect(await codeOf(signIn("ann", "wrong"))).toBe("UNAUTHENTICATED sign-in-wrong");
    expect(await codeOf(signIn("nobody", "wrong"))).toBe("UNAUTHENTICATED sign-in-wrong");
    for (let i = 0; i < 4; i++) await codeOf(signIn("ann", "wrong"));
    expect(await codeOf(signIn("ann", password))).toBe("LIMITED sign-in-limited");
    expect(await codeOf(signIn("ann", password, "10.0.0.2"))).toBe("done");
    now += 15 * 60_000;
    expect(await codeOf(signIn("ann", password))).toBe("done");
  });

  it("end every other session when they change", async () => {
    await access.users.create(machine, { name: "ann", grants: operator, password });
    const [one, other] = [await signIn("ann", password), await signIn("ann", password)];
    const here = await callerOf(one.secret);
    expect(
      await codeOf(access.users.setPassword(here, { current: "wrong", password: `${password}!` }, "10.0.0.1")),
    ).toBe("FORBIDDEN password-current-wrong");
    await access.users.setPassword(here, { current: password, password: `${password}!` }, "10.0.0.1");
    expect(await access.sessions.callerOf(one.secret)).toBeDefined();
    expect(await access.sessions.callerOf(other.secret)).toBeUndefined();
    expect(await codeOf(signIn("ann", `${password}!`))).toBe("done");
  });
});

describe("sessions", () => {
  it("end when nobody uses them, at their end, and everywhere", async () => {
    await access.users.create(machine, { name: "ann", grants: operator, password });
    const idle = await signIn("ann", password);
    now += sessionIdleMs;
    expect(await access.sessions.callerOf(idle.secret)).toBeUndefined();
    const used = await signIn("ann", password);
    const end = now + sessionMaxMs;
    while (now + sessionIdleMs / 2 < end) {
      expect(await access.sessions.callerOf(used.secret)).toBeDefined();
      now += sessionIdleMs / 2;
    }
    now = end;
    expect(await access.sessions.callerOf(used.secret)).toBeUndefined();
    const here = await signIn("ann", password);
    const there = await signIn("ann", password);
    const { sessionHash = "" } = await callerOf(here.secret);
    expect(await access.sessions.isOpen(sessionHash)).toBe(true);
    expect(await access.sessions.endAll("ann")).toBeGreaterThanOrEqual(2);
    expect(await access.sessions.callerOf(there.secret)).toBeUndefined();
    expect(await access.sessions.isOpen(sessionHash)).toBe(false);
  });

  it("know at once when somebody is disabled or has other roles", async () => {
    await access.users.create(machine, { name: "ann", grants: operator, password });
    const { secret } = await signIn("ann", password);
    await access.users.change(machine, "ann", { grants: [{ role: "viewer", namespace: "*" }] });
    expect((await callerOf(secret)).grants).toEqual([{ role: "viewer", namespace: "*" }]);
    await access.users.change(machine, "ann", { disabled: true });
    expect(await access.sessions.callerOf(secret)).toBeUndefined();
    expect(await codeOf(signIn("ann", password))).toBe("UNAUTHENTICATED sign-in-wrong");
  });
});

describe("users", () => {
  it("keep an administrator, and nobody hands on more than they have", async () => {
    const { link } = await access.signIn.makeLink(undefined);
    await access.signIn.byLink(link, "127.0.0.1");
    expect(await codeOf(access.users.remove(machine, "admin"))).toBe("CONFLICT last-administrator");
    expect(await codeOf(access.users.change(machine, "admin", { disabled: true }))).toBe("CONFLICT last-administrator");
    expect(await codeOf(access.users.change(machine, "admin", { grants: operator }))).toBe(
      "CONFLICT last-administrator",
    );
    const shop: Caller = { ...machine, grants: [{ role: "administrator", namespace: "shop" }] };
    expect(await codeOf(access.users.create(shop, { name: "eve", grants: operator }))).toBe("FORBIDDEN grants-exceed");
    const inShop = [{ role: "operator" as const, namespace: "shop" }];
    expect(await codeOf(access.users.create(shop, { name: "joe", grants: inShop }))).toBe("done");
    await access.users.create(machine, { name: "mia", grants: operator });
    expect(await codeOf(access.users.change(shop, "mia", { grants: [...operator, ...inShop] }))).toBe("done");
    for (const change of [{ grants: inShop }, { password }, { disabled: true }, { displayName: "x" }]) {
      expect(await codeOf(access.users.change(shop, "mia", change))).toBe("FORBIDDEN grants-exceed");
    }
    expect(await codeOf(access.users.signOut(shop, "mia"))).toBe("FORBIDDEN grants-exceed");
    expect(await codeOf(access.users.remove(shop, "mia"))).toBe("FORBIDDEN grants-exceed");
    expect(await codeOf(access.users.remove(shop, "joe"))).toBe("done");
    await access.users.create(machine, { name: "bob", grants: [...machine.grants] });
    expect(await codeOf(access.users.remove(machine, "admin"))).toBe("done");
    expect(await codeOf(access.users.create(machine, { name: "bob", grants: operator }))).toBe("CONFLICT user-exists");
  });
});

describe("tokens", () => {
  it("have a scope and an end, and lose what their owner loses", async () => {
    await access.users.create(machine, { name: "ann", grants: operator, password });
    const ann = await callerOf((await signIn("ann", password)).secret);
    const wanted = { name: "ci", grants: operator, ttlSec: 60 };
    const admin = [{ role: "administrator" as const, namespace: "*" }];
    expect(await codeOf(access.tokens.create(ann, { ...wanted, grants: admin }))).toBe("FORBIDDEN grants-exceed");
    const { token, about } = await access.tokens.create(ann, wanted);
    expect(await access.bearer(token, address)).toMatchObject({ name: "ann", way: "token", grants: operator });
    expect(await codeOf(access.bearer(token.slice(0, -1), address))).toBe("UNAUTHENTICATED token-wrong");
    const swapped = `${token.slice(0, -1)}${token.endsWith("A") ? "B" : "A"}`;
    expect(await codeOf(access.bearer(swapped, address))).toBe("UNAUTHENTICATED token-wrong");
    await access.users.change(machine, "ann", { grants: [{ role: "viewer", namespace: "*" }] });
    expect((await access.bearer(token, address)).grants).toEqual([]);
    await access.users.change(machine, "ann", { grants: operator });
    now += 60_000;
    expect(await codeOf(access.bearer(token, address))).toBe("UNAUTHENTICATED token-wrong");
    const second = await access.tokens.create(ann, wanted);
    expect((await access.tokens.list(ann, false)).map(({ id }) => id)).toEqual([second.about.id]);
    await access.tokens.revoke(ann, second.about.id, false);
    expect(await codeOf(access.bearer(second.token, address))).toBe("UNAUTHENTICATED token-wrong");
    expect(about.id).not.toBe(second.about.id);
    const third = await access.tokens.create(ann, wanted);
    const bob: Caller = { ...ann, name: "bob" };
    expect(await codeOf(access.tokens.revoke(bob, third.about.id, false))).toBe("NOT_FOUND no-api-token");
    await access.users.remove(machine, "ann").catch(() => undefined);
    expect(await codeOf(access.bearer(third.token, address))).toBe("UNAUTHENTICATED token-wrong");
  });

  it("of the machine lie in a file that its owner alone may read, and stay the same", async () => {
    const path = join(folder, machineTokenFile);
    expect(statSync(path).mode & 0o777).toBe(0o600);
    const token = readFileSync(path, "utf8").trim();
    expect(ensureMachineToken(folder)).toBe(token);
    expect(await access.bearer(token, address)).toMatchObject({ way: "machine" });
    for (const wrong of ["", token.slice(1), `${token} `, "limpid_machine_"]) {
      expect(await codeOf(access.bearer(wrong, address))).toBe("UNAUTHENTICATED token-wrong");
    }
    writeFileSync(path, "");
    expect(() => ensureMachineToken(folder)).toThrow("is empty or can't be read");
  });
});

describe("identity providers", () => {
  const claims = { issuer: "https://id", subject: "1", name: "Ann@Example.com", displayName: "Ann", grants: operator };

  it("bring people with their roles, never into somebody else's account", async () => {
    await access.users.create(machine, { name: "ann@example.com", grants: [...machine.grants], password });
    const { name, secret } = await access.signIn.byProvider(claims, "10.0.0.1");
    expect(name).toMatch(/^ann@example\.com-[0-9a-f]{8}$/);
    expect(await callerOf(secret)).toMatchObject({ way: "oidc", displayName: "Ann", grants: operator });
    const viewer = [{ role: "viewer" as const, namespace: "*" }];
    expect((await access.signIn.byProvider({ ...claims, grants: viewer }, "10.0.0.1")).name).toBe(name);
    expect((await callerOf(secret)).grants).toEqual(viewer);
    expect(await codeOf(access.users.change(machine, name, { grants: operator }))).toBe("FORBIDDEN provider-roles");
    expect(await codeOf(access.signIn.byProvider({ ...claims, grants: [] }, "10.0.0.1"))).toBe(
      "FORBIDDEN oidc-no-role",
    );
    expect(await access.sessions.callerOf(secret)).toBeUndefined();
  });
});

it("writes down each sign-in, also as a line of the log, and never a secret", async () => {
  await access.users.create(machine, { name: "ann", grants: operator, password });
  const { secret } = await signIn("ann", password);
  await codeOf(signIn("ann\nforged", "wrong password"));
  const { entries, more, keptDays } = await access.audit({ limit: 1 });
  expect([entries[0]?.result, entries[0]?.target, entries[0]?.address, more, keptDays]).toEqual([
    "refused",
    "ann forged",
    "10.0.0.1",
    true,
    400,
  ]);
  expect(logged).toHaveLength(2);
  for (const hidden of [secret, password, "wrong password"]) expect(JSON.stringify(logged)).not.toContain(hidden);
});
