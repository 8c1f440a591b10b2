import { z } from "zod";
import type { Access } from "../access/access.ts";
import { AuditQuery, allows, NewApiToken, NewUser, UserChange, wholeMesh } from "../contract/index.ts";
import { type ApiCall, type ApiRoutes, callerIn } from "./api-call.ts";
import { parse } from "./parse.ts";

const TokensQuery = z.object({ all: z.enum(["true", "false"]).default("false") });

/** Users, tokens and the audit. */
export function addPeopleRoutes(api: ApiRoutes, access: Access): void {
  const look = { role: "viewer" } as const;
  const administer = { role: "administrator" } as const;
  const administerMesh = { role: "administrator", namespace: wholeMesh } as const;
  const isAdministrator = (call: ApiCall) => allows(callerIn(call).grants, administerMesh);

  api.add("GET", "/api/users", async () => ({ users: await access.users.list() }), { need: administer });
  api.add(
    "POST",
    "/api/users",
    async (call) => {
      const user = parse(NewUser, call.body);
      call.about.target = user.name;
      return access.users.create(callerIn(call), user);
    },
    { need: administer, deed: "user.create" },
  );
  api.add(
    "PUT",
    "/api/users/:name",
    (call) => access.users.change(callerIn(call), call.params.name ?? "", parse(UserChange, call.body)),
    { need: administer, deed: "user.change" },
  );
  api.add(
    "DELETE",
    "/api/users/:name",
    async (call) => {
      await access.users.remove(callerIn(call), call.params.name ?? "");
      return {};
    },
    { need: administer, deed: "user.delete" },
  );
  api.add(
    "POST",
    "/api/users/:name/sign-out",
    async (call) => {
      await access.users.signOut(callerIn(call), call.params.name ?? "");
      return {};
    },
    { need: administer, deed: "user.sign-out" },
  );

  api.add(
    "GET",
    "/api/tokens",
    async (call) => ({
      tokens: await access.tokens.list(
        callerIn(call),
        isAdministrator(call) && parse(TokensQuery, call.query).all === "true",
      ),
    }),
    { need: look },
  );
  api.add(
    "POST",
    "/api/tokens",
    async (call) => {
      const made = await access.tokens.create(callerIn(call), parse(NewApiToken, call.body));
      call.about.target = made.about.id;
      return made;
    },
    { need: look, deed: "token.create" },
  );
  api.add(
    "DELETE",
    "/api/tokens/:id",
    (call) => access.tokens.revoke(callerIn(call), call.params.id ?? "", isAdministrator(call)),
    { need: look, deed: "token.revoke" },
  );

  api.add("GET", "/api/audit", ({ query }) => access.audit(parse(AuditQuery, query)), { need: administerMesh });
}
