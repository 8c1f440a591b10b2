import { secretEntries } from "../config/kinds/secret.ts";
import type { ConfigObject } from "../config/object.ts";
import type { Mesh } from "./mesh.ts";
import type { SecretSpec } from "./specs.ts";

/** What a Secret has for TLS, by its entries' names; undefined: not that. */
export interface CredentialEntries {
  readonly certificate: { readonly chain: string; readonly key: string } | undefined;
  readonly authorities: string | undefined;
  readonly revoked: string | undefined;
}

/** The name of a Secret, with or without the prefix that Istio takes. */
export const secretName = (credentialName: string): string => credentialName.replace(/^kubernetes:\/\//, "");

const secretOf = (mesh: Mesh, namespace: string, name: string): ConfigObject | undefined =>
  mesh.objects.get("Secret")?.get(`${namespace}/${name}`);

export function entriesOf({ spec }: ConfigObject): CredentialEntries {
  const { data = {}, stringData = {} } = spec as SecretSpec;
  const find = (names: readonly string[]) => names.find((name) => name in data || name in stringData);
  const form = secretEntries.certificate.findIndex(
    (name, index) => find([name]) && find([secretEntries.key[index] ?? ""]),
  );
  const [chain, key] = [secretEntries.certificate[form], secretEntries.key[form]];
  return {
    certificate: chain && key ? { chain, key } : undefined,
    authorities: find(secretEntries.authorities),
    revoked: find(secretEntries.revoked),
  };
}

/** The Secret with a certificate and its key; undefined: there is none in the namespace. */
export function certificateSecret(mesh: Mesh, namespace: string, name: string): ConfigObject | undefined {
  const found = secretOf(mesh, namespace, name);
  return found && entriesOf(found).certificate ? found : undefined;
}

/** The Secret with the authorities that go with a credential: one of its own, `<name>-cacert`, or the same one, as in Istio. */
export function authoritiesSecret(mesh: Mesh, namespace: string, name: string): ConfigObject | undefined {
  const candidates = [`${name}-cacert`, name].flatMap((it) => secretOf(mesh, namespace, it) ?? []);
  return candidates.find((it) => entriesOf(it).authorities !== undefined);
}
