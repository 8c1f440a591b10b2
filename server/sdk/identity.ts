import { X509Certificate } from "node:crypto";
import { readFileSync } from "node:fs";
import { create } from "@bufbuild/protobuf";
import { type Secret, SecretSchema } from "../gen/proto/envoy/extensions/transport_sockets/tls/v3/secret_pb.js";
import type { Logger } from "../lib/logger.ts";
import type { Credentials } from "./api.ts";
import { type Obtained, pinnedRoot, requestCertificate } from "./request-certificate.ts";

/** Where certificates are signed: with a token, and by a certificate. */
export interface Signers {
  readonly join: { host: string; port: number };
  readonly renew: { host: string; port: number };
}

/** A certificate of this process, for a key that was made in it. Throws an Error of one sentence. */
export async function obtain(credentials: Credentials, { join, renew }: Signers): Promise<Obtained> {
  if ("token" in credentials) {
    const { token } = credentials;
    const pin = token.split(".")[2];
    if (pin === undefined) {
      throw new Error("credentials.token: is not whole: limpid token create prints three parts with dots between them");
    }
    return await requestCertificate(join, await pinnedRoot(join, pin), { token });
  }
  const [chainPem, keyPem, rootPem] = (["certificate", "key", "root"] as const).map((name) =>
    pemOf(credentials[name], name),
  );
  return await requestCertificate(renew, rootPem ?? "", {
    certificate: { chainPem: chainPem ?? "", keyPem: keyPem ?? "" },
  });
}

/** PEM as it is, or what is in a file. */
function pemOf(source: string, name: string): string {
  if (source.startsWith("-----BEGIN ")) return source;
  try {
    return readFileSync(source, "utf8");
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    throw new Error(`credentials.${name}: neither PEM nor a file that can be read (${code})`);
  }
}

/** As the mesh's configuration names them. */
export const secretsOf = ({ chainPem, keyPem, rootPem }: Obtained): Secret[] => [
  create(SecretSchema, {
    name: "default",
    type: {
      case: "tlsCertificate",
      value: { certificateChain: inline(chainPem), privateKey: inline(keyPem) },
    },
  }),
  create(SecretSchema, { name: "ROOTCA", type: { case: "validationContext", value: { trustedCa: inline(rootPem) } } }),
];

const inline = (text: string) => ({ specifier: { case: "inlineString" as const, value: text } });

/** Has another certificate at half of each one's life, and after a failure tries again within minutes. @returns ends it */
export function keepRenewing(
  first: Obtained,
  renew: Signers["renew"],
  logger: Logger,
  onRenewed: (obtained: Obtained) => void,
): () => void {
  let current = first;
  let timer: NodeJS.Timeout | undefined;
  let over = false;
  const wait = (ms: number) => {
    if (!over) timer = setTimeout(() => void again(), Math.min(Math.max(ms, 1_000), 2 ** 31 - 1)).unref();
  };
  const again = async () => {
    try {
      const next = await requestCertificate(renew, current.rootPem, { certificate: current });
      if (over) return;
      current = next;
      onRenewed(next);
      wait(halfLifeMs(next) - Date.now());
    } catch (error) {
      logger.warn({ error: (error as Error).message }, "the certificate is not renewed yet");
      wait(retryMs);
    }
  };
  wait(halfLifeMs(first) - Date.now());
  return () => {
    over = true;
    clearTimeout(timer);
  };
}

const retryMs = 60_000;

function halfLifeMs({ chainPem }: Obtained): number {
  const { validFromDate, validToDate } = new X509Certificate(chainPem);
  return (validFromDate.getTime() + validToDate.getTime()) / 2;
}
