import type { GatewaySpec } from "../../../config/kinds/index.ts";
import type { SecretCertificate, SecretStatus } from "../../../config/kinds/secret.ts";
import { secretEntries } from "../../../config/kinds/secret.ts";
import type { ConfigObject } from "../../../config/object.ts";
import { type Told, told } from "../../../contract/index.ts";
import { authoritiesSecret, certificateSecret, secretName } from "../../../model/credentials.ts";
import { covers } from "../../../model/hostname.ts";
import { matchesLabels } from "../../../model/labels.ts";
import type { Facts } from "./facts.ts";
import type { Finding } from "./warning.ts";

/** From when on an end is near. */
const soonMs = 30 * 86_400_000;

const certificatesOf = (object: ConfigObject): readonly SecretCertificate[] =>
  (object.status as SecretStatus | undefined)?.certificates ?? [];

/** Undefined: it is good for a while. */
function endOf({ subject, notAfter }: SecretCertificate, nowMs: number): Told | undefined {
  const left = Date.parse(notAfter) - nowMs;
  if (left > soonMs) return undefined;
  const when = notAfter.slice(0, 10);
  return left <= 0 ? told("certificate-ended", { subject, when }) : told("certificate-ends", { subject, when });
}

/** Certificates that have ended, or will soon. */
export function* endingCertificates(object: ConfigObject, nowMs: number): Generator<Finding> {
  for (const certificate of certificatesOf(object)) {
    const end = endOf(certificate, nowMs);
    if (end !== undefined) yield { path: `data[${JSON.stringify(certificate.entry)}]`, ...end };
  }
}

/** Secrets that a Gateway names and its proxies don't have, and what is wrong with those they have. */
export function* doubtfulCredentials(object: ConfigObject, facts: Facts, nowMs: number): Generator<Finding> {
  const { selector = {}, servers } = object.spec as unknown as GatewaySpec;
  const proxies = facts.gatewayProxies?.filter(({ labels }) => matchesLabels(selector, labels)) ?? [];
  const namespaces = new Set(
    proxies.length > 0 ? proxies.map(({ namespace }) => namespace) : [object.metadata.namespace],
  );
  for (const [index, { hosts, tls }] of servers.entries()) {
    if (tls === undefined) continue;
    const path = `spec.servers[${index}].tls`;
    const names = [
      ...(tls.credentialName ? [{ field: "credentialName", name: tls.credentialName }] : []),
      ...(tls.credentialNames ?? []).map((name, position) => ({ field: `credentialNames[${position}]`, name })),
    ];
    for (const namespace of namespaces) {
      for (const { field, name } of names) {
        const secret = certificateSecret(facts.mesh, namespace, secretName(name));
        const at = `${path}.${field}`;
        if (secret === undefined) {
          yield { path: at, ...told("secret-missing", { secret: `${namespace}/${secretName(name)}` }) };
        } else yield* doubtsAbout(secret, at, hosts, nowMs);
      }
      yield* missingAuthorities(facts, namespace, tls, path);
    }
  }
}

function* doubtsAbout(secret: ConfigObject, path: string, hosts: readonly string[], nowMs: number): Generator<Finding> {
  const [leaf] = certificatesOf(secret).filter(({ entry }) => isLeaf(entry));
  if (leaf === undefined) return;
  const end = endOf(leaf, nowMs);
  if (end !== undefined) yield { path, ...end };
  const named = leaf.subjectAltNames.flatMap((name) => (name.startsWith("DNS:") ? [name.slice(4)] : []));
  const wanted = hosts.map((host) => host.slice(host.indexOf("/") + 1)).filter((host) => host !== "*");
  const strange = wanted.filter((host) => !named.some((name) => name === host || covers(name, host)));
  if (strange.length === 0) return;
  const hostsOf = (names: readonly string[]) => names.slice(0, 5).join(", ");
  yield {
    path,
    ...(named.length === 0
      ? told("certificate-for-nobody", { hosts: hostsOf(strange) })
      : told("certificate-for-others", { named: hostsOf(named), hosts: hostsOf(strange) })),
  };
}

const isLeaf = (entry: string): boolean => (secretEntries.certificate as readonly string[]).includes(entry);

function* missingAuthorities(
  { mesh }: Facts,
  namespace: string,
  tls: NonNullable<GatewaySpec["servers"][number]["tls"]>,
  path: string,
): Generator<Finding> {
  if (tls.mode !== "MUTUAL" && tls.mode !== "OPTIONAL_MUTUAL") return;
  const [field, name] = tls.caCertCredentialName
    ? (["caCertCredentialName", tls.caCertCredentialName] as const)
    : (["credentialName", tls.credentialNames?.[0] ?? tls.credentialName] as const);
  if (name === undefined || tls.caCertificates || authoritiesSecret(mesh, namespace, secretName(name))) return;
  const secret = secretName(name);
  yield {
    path: `${path}.${field}`,
    ...told("authorities-missing", { secret: `${namespace}/${secret}`, other: `${secret}-cacert` }),
  };
}
