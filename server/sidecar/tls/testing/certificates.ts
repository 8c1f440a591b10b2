import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fromJson } from "@bufbuild/protobuf";
import { type IssuedCertificate, openCertificateAuthority } from "../../../ca/certificate-authority.ts";
import { type Secret, SecretSchema } from "../../../gen/proto/envoy/extensions/transport_sockets/tls/v3/secret_pb.js";
import { FakeClock } from "../../../lib/testing/fake-clock.ts";

export const spiffe = (account: string): string => `spiffe://cluster.local/ns/default/sa/${account}`;

export interface TestAuthority {
  root: string;
  /** Valid for an hour from now on, or from as many hours ago as told. */
  issue(account: string, hoursAgo?: number): Promise<IssuedCertificate>;
  /** As SDS gives it. */
  secret(name: string, account: string): Promise<Secret>;
  rootSecret(name: string): Secret;
  remove(): Promise<void>;
}

/** An authority of the mesh's kind in a folder of its own, which has been there for a day. */
export async function testAuthority(): Promise<TestAuthority> {
  const folder = await mkdtemp(join(tmpdir(), "limpid-tls-"));
  const clock = new FakeClock();
  clock.time = Date.now() - 24 * hourMs;
  const authority = await openCertificateAuthority(join(folder, "ca"), { clock, trustDomain: "cluster.local" });
  const issue: TestAuthority["issue"] = (account, hoursAgo = 0) => {
    clock.time = Date.now() - hoursAgo * hourMs;
    return authority.issue({ spiffeUri: spiffe(account), ttlSec: 3600 });
  };
  return {
    root: authority.rootPem,
    issue,
    async secret(name, account) {
      const { chainPem, keyPem } = await issue(account);
      return secretFrom({
        name,
        tls_certificate: { certificate_chain: inline(chainPem), private_key: inline(keyPem) },
      });
    },
    rootSecret: (name) => secretFrom({ name, validation_context: { trusted_ca: inline(authority.rootPem) } }),
    remove: () => rm(folder, { recursive: true, force: true }),
  };
}

export const secretFrom = (json: Parameters<typeof fromJson>[1]): Secret => fromJson(SecretSchema, json);

export const inline = (text: string) => ({ inline_string: text });

const hourMs = 3_600_000;
