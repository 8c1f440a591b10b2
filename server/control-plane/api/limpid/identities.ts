import { createHash, X509Certificate } from "node:crypto";
import { z } from "zod";
import type { ConfigObject } from "../../../config/object.ts";
import { RevocationRequest } from "../../../contract/index.ts";
import { controlPlaneNamespace, parseSpiffeUri, spiffeUri } from "../../../lib/spiffe.ts";
import type { Identities } from "../../identity/identities.ts";
import type { ApiContext } from "../context.ts";
import { requireNamespace } from "../namespace-contents.ts";
import type { ApiRequest, ApiResponse, ApiRouter } from "../router.ts";
import { StatusError } from "../status-error.ts";
import { limpidActor, readBodyAs } from "./request.ts";

/** What the API may do with identities. */
export type IdentityAdmin = Identities & { revoke(spiffeUri: string, reason: string): void };

const name = z.string().regex(/^[a-z0-9](?:[-a-z0-9]{0,61}[a-z0-9])?$/, "must be a name of letters, digits and '-'");

const tokenRequest = z.strictObject({
  namespace: name,
  serviceAccount: name,
  ttlSec: z.int().min(1).max(86_400).default(900),
});

export function addIdentityRoutes(router: ApiRouter, context: ApiContext): void {
  const add = (
    method: string,
    pattern: string,
    verb: (admin: IdentityAdmin, request: ApiRequest) => Promise<ApiResponse>,
  ) =>
    router.add(method, pattern, (request) => {
      const admin = context.identities();
      if (admin === undefined)
        throw new StatusError(404, "NotFound", "this control plane has no certificate authority");
      return verb(admin, request);
    });
  add("GET", "/limpid/v1/join-tokens", async ({ tokens }) => ({ status: 200, body: { tokens: tokens.list() } }));
  add("POST", "/limpid/v1/join-tokens", (admin, request) => createToken(context, admin, request));
  add("DELETE", "/limpid/v1/join-tokens/:id", async ({ tokens }, { params: { id = "" } }) => {
    if (!tokens.revoke(id)) throw new StatusError(404, "NotFound", `there is no join token ${id}`);
    return { status: 200, body: { tokens: tokens.list() } };
  });
  add("GET", "/limpid/v1/certificates", async ({ register, rootPem }) => ({
    status: 200,
    body: { certificates: register.list(), revoked: register.revoked(), rootPem },
  }));
  add("POST", "/limpid/v1/certificates/revoke", (admin, request) => revoke(context, admin, request));
  add("POST", "/limpid/v1/certificates/restore", (admin, request) => restore(context, admin, request));
}

async function createToken(
  context: ApiContext,
  { tokens, rootPem }: IdentityAdmin,
  request: ApiRequest,
): Promise<ApiResponse> {
  const wanted = await readBodyAs(tokenRequest, request);
  if (wanted.namespace === controlPlaneNamespace) {
    throw new StatusError(422, "Invalid", `namespace: nobody joins in ${controlPlaneNamespace}`);
  }
  await requireNamespace(context, wanted.namespace);
  const { token, about } = tokens.create(wanted);
  context.logger.info({ ...about, by: limpidActor(request).author }, "join token made");
  return { status: 201, body: { token: `${token}.${rootPin(rootPem)}`, ...about, rootPem } };
}

/** SHA-256 of the root that the control plane's own certificate leads to: of several the first. */
const rootPin = (rootPem: string): string =>
  createHash("sha256").update(new X509Certificate(rootPem).raw).digest("base64url");

async function revoke(context: ApiContext, admin: IdentityAdmin, request: ApiRequest): Promise<ApiResponse> {
  const { spiffeUri: identity, reason } = await readBodyAs(RevocationRequest, request);
  const { trustDomain } = admin;
  const id = parseSpiffeUri(identity);
  if (id?.trustDomain !== trustDomain) {
    const form = spiffeUri({ trustDomain, namespace: "<namespace>", serviceAccount: "<service account>" });
    throw new StatusError(422, "Invalid", `spiffeUri: must be of the form ${form}, not ${JSON.stringify(identity)}`);
  }
  if (id.namespace === controlPlaneNamespace) {
    throw new StatusError(
      422,
      "Invalid",
      "spiffeUri: is the control plane's own, without which no proxy gets anything",
    );
  }
  admin.revoke(identity, reason);
  await denyRevoked(context, admin, request, `revoke ${identity}`);
  return { status: 200, body: { revoked: admin.register.revoked() } };
}

async function restore(context: ApiContext, admin: IdentityAdmin, request: ApiRequest): Promise<ApiResponse> {
  const { spiffeUri: identity } = await readBodyAs(RevocationRequest, request);
  if (!admin.register.restore(identity)) throw new StatusError(404, "NotFound", `${identity} was not revoked`);
  await denyRevoked(context, admin, request, `restore ${identity}`);
  return { status: 200, body: { revoked: admin.register.revoked() } };
}

const policyName = "limpid-revoked-identities";

/** Certificates that are out already are good until they end: until then a policy of the whole mesh refuses whoever shows one. */
async function denyRevoked(
  context: ApiContext,
  { register }: IdentityAdmin,
  request: ApiRequest,
  reason: string,
): Promise<void> {
  const { rootNamespace } = (await context.mesh()).options;
  const key = { kind: "AuthorizationPolicy", namespace: rootNamespace, name: policyName };
  const principals = register.revoked().map(({ spiffeUri: uri }) => uri.replace("spiffe://", ""));
  const { author } = limpidActor(request);
  if (principals.length === 0) {
    if (await context.store.get(key)) await context.store.commit([{ op: "delete", key }], author, { reason });
    return;
  }
  await requireNamespace(context, rootNamespace);
  const object: ConfigObject = {
    apiVersion: "security.istio.io/v1",
    kind: "AuthorizationPolicy",
    metadata: { name: policyName, namespace: rootNamespace },
    spec: { action: "DENY", rules: [{ from: [{ source: { principals } }] }] },
  };
  await context.store.commit([{ op: "put", object }], author, { reason });
}
