import { mkdtemp, rm } from "node:fs/promises";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { connect, createServer, type SecureContextOptions } from "node:tls";
import type { CertificateAuthority, IssuedCertificate } from "../certificate-authority.ts";

export const spiffeIdOf = (serviceAccount: string, namespace = "default") =>
  `spiffe://cluster.local/ns/${namespace}/sa/${serviceAccount}`;

/** A folder for one test; the second is to be called afterwards. */
export async function tempFolder(): Promise<[string, () => Promise<void>]> {
  const folder = await mkdtemp(join(tmpdir(), "limpid-ca-"));
  return [folder, () => rm(folder, { recursive: true, force: true })];
}

export const tlsOf = (
  authority: CertificateAuthority,
  { keyPem, chainPem }: IssuedCertificate,
): SecureContextOptions => ({
  key: keyPem,
  cert: chainPem,
  ca: authority.rootPem,
});

/** What each side saw of the other in a handshake where both must show a certificate; rejects when either refuses. */
export async function shakeHands(
  server: SecureContextOptions,
  client: SecureContextOptions,
): Promise<{ client: string | undefined; server: string | undefined }> {
  const listener = createServer({ ...server, requestCert: true, rejectUnauthorized: true });
  await new Promise<void>((done) => listener.listen(0, "127.0.0.1", done));
  try {
    return await new Promise((resolve, reject) => {
      let seen: string | undefined;
      listener.on("tlsClientError", reject);
      listener.on("secureConnection", (socket) => {
        seen = socket.getPeerCertificate().subjectaltname;
        socket.end("hello");
      });
      const { port } = listener.address() as AddressInfo;
      // A SPIFFE id stands in for a host's name: whoever calls checks it.
      const socket = connect({ ...client, port, host: "127.0.0.1", checkServerIdentity: () => undefined });
      socket.on("error", reject);
      socket.on("data", () => resolve({ client: seen, server: socket.getPeerCertificate().subjectaltname }));
    });
  } finally {
    listener.close();
  }
}
