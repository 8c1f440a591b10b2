import { create } from "@bufbuild/protobuf";
import type { Sealer } from "../../ca/sealer.ts";
import type { SecretSpec } from "../../config/kinds/secret.ts";
import type { ConfigObject } from "../../config/object.ts";
import { type Secret, SecretSchema } from "../../gen/proto/envoy/extensions/transport_sockets/tls/v3/secret_pb.js";
import { memo } from "../../lib/memo.ts";
import { authoritiesSecret, certificateSecret, entriesOf } from "../../model/credentials.ts";
import type { Mesh } from "../../model/mesh.ts";
import type { MeshProxy } from "../../model/proxy.ts";
import type { SecretMessages } from "../../xds/snapshot.ts";
import { openEntry } from "./sealed-store.ts";

/** Names of what people's Secrets hold, as proxies ask for it: `kubernetes://<name>` and `kubernetes://<name>-cacert`. */
const form = /^kubernetes:\/\/(.+?)(-cacert)?$/;

export const isCredential = (name: string): boolean => form.test(name);

/**
 * The secrets of these names, opened for this proxy: of its own namespace, and only for one that has shown who it is. Who gets which name
 * was decided when its resources were made; here it is decided once more.
 */
export function credentialSecrets(
  mesh: Mesh,
  { namespace, identity }: MeshProxy,
  names: readonly string[],
  sealer: Sealer | undefined,
): SecretMessages {
  if (identity === undefined) return new Map();
  const found = names.flatMap((name) => {
    const [, secret = "", suffix] = form.exec(name) ?? [];
    const object =
      suffix === undefined ? certificateSecret(mesh, namespace, secret) : authoritiesSecret(mesh, namespace, secret);
    const message = object && secretMessage(object, name, suffix !== undefined, sealer);
    return message ? [[name, message] as const] : [];
  });
  return new Map(found);
}

/** The same message for the same object, so that it is encoded once for all who get it. */
const secretMessage = (
  object: ConfigObject,
  name: string,
  isForTrust: boolean,
  sealer: Sealer | undefined,
): Secret | undefined =>
  memo(object, `secret ${name}`, [sealer], () => {
    const { certificate, authorities, revoked } = entriesOf(object);
    const open = (entry: string | undefined) => {
      const value = entry === undefined ? undefined : openEntry(object, entry, sealer);
      return value && { specifier: { case: "inlineBytes" as const, value } };
    };
    if (isForTrust) {
      const [trustedCa, crl] = [open(authorities), open(revoked)];
      if (trustedCa === undefined || (revoked !== undefined && crl === undefined)) return undefined;
      return create(SecretSchema, {
        name,
        type: { case: "validationContext", value: { trustedCa, ...(crl && { crl }) } },
      });
    }
    const [certificateChain, privateKey] = [open(certificate?.chain), open(certificate?.key)];
    if (certificateChain === undefined || privateKey === undefined) return undefined;
    return create(SecretSchema, { name, type: { case: "tlsCertificate", value: { certificateChain, privateKey } } });
  });

/**
 * A Secret as the mesh has it: without the entries that can't be opened (sealed by a key that is gone), so that nothing is built on them. The same
 * object while all can be. `told` hears of each such object once.
 */
export function openable(
  object: ConfigObject,
  sealer: Sealer | undefined,
  told: (entries: string[]) => void,
): ConfigObject {
  if (object.kind !== "Secret") return object;
  return memo(object, "openable", [sealer], () => {
    const { data = {}, ...spec } = object.spec as SecretSpec;
    const lost = Object.keys(data).filter((entry) => openEntry(object, entry, sealer) === undefined);
    if (lost.length === 0) return object;
    told(lost);
    const kept = Object.fromEntries(Object.entries(data).filter(([entry]) => !lost.includes(entry)));
    return { ...object, spec: { ...spec, data: kept } };
  });
}
