import { join } from "node:path";
import type { SecretStatus } from "../../config/kinds/secret.ts";
import type { ConfigObject } from "../../config/object.ts";
import { limpidReasons } from "../../contract/index.ts";
import { systemClock as clock } from "../../lib/clock.ts";
import { createHttpClient } from "../../lib/http-client.ts";
import { ingressGateway } from "./workloads.ts";

export const gatewaySecret = "bookinfo-gateway";

/** Browsers take none for longer. */
const ttlSec = 397 * 86_400;
const renewalMs = 60 * 86_400_000;

/** Where the root is that a browser may be told to trust; nothing inside the mesh does. */
const demoAuthorityFolder = (data: string): string => join(data, "demo-ca");

/** What the demo's gateway shows over HTTPS: a certificate of an authority of its own, for this machine's names. */
export async function gatewayCertificate(data: string): Promise<ConfigObject> {
  // What signs takes a quarter of a second to load.
  const { openHostAuthority } = await import("../../ca/host-authority.ts");
  const authority = await openHostAuthority(demoAuthorityFolder(data), { clock, organization: "Limpid demo" });
  const names = { dns: ["localhost", "bookinfo.localhost"], ips: ["127.0.0.1"] };
  const { chainPem, keyPem } = await authority.issue({ names, ttlSec });
  const stringData = { "tls.crt": chainPem, "tls.key": keyPem, "ca.crt": authority.rootPem };
  return {
    apiVersion: "v1",
    kind: "Secret",
    metadata: {
      name: gatewaySecret,
      namespace: ingressGateway.namespace,
      annotations: { "limpid.dev/made-by": "demo" },
    },
    spec: { type: "kubernetes.io/tls", stringData },
  };
}

/** Replaces the certificate when it is near its end and still the demo's own. */
export async function renewGatewayCertificate(configApi: string, data: string): Promise<void> {
  const client = createHttpClient(configApi, 30_000);
  const answer = await client.call("GET", `/api/v1/namespaces/${ingressGateway.namespace}/secrets/${gatewaySecret}`);
  if (answer.status !== 200) return;
  const { metadata, status } = JSON.parse(answer.text) as ConfigObject;
  const [certificate] = (status as SecretStatus | undefined)?.certificates ?? [];
  const isOurs = metadata.annotations?.["limpid.dev/made-by"] === "demo";
  if (!isOurs || !certificate || Date.parse(certificate.notAfter) - clock.now() > renewalMs) return;
  const object = await gatewayCertificate(data);
  await client.call("POST", "/limpid/v1/transactions", {
    headers: { "content-type": "application/json", "x-limpid-user": "limpid (demo)" },
    body: JSON.stringify({ reason: limpidReasons["demo-certificate"], writes: [{ op: "put", object }] }),
  });
}
