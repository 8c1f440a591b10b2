import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { authorityFiles } from "../../server/ca/authority-files.ts";
import { openCertificateAuthority } from "../../server/ca/certificate-authority.ts";
import { certificatePaths, writeCertificate } from "../../server/ca/write-certificate.ts";
import type { BootstrapCertificate } from "../../server/fleet/bootstrap.ts";
import { systemClock as clock } from "../../server/lib/clock.ts";
import type { Contender } from "./turns.ts";

/** An upstream that wants a certificate, and the one to show. */
export interface MutualTlsUpstream {
  port: number;
  certificate: BootstrapCertificate;
}

/** nginx, which answers 1 KB to everything, in plain text and over mutual TLS. */
export function http1Upstream(folder: string, port: number, mutualTls: MutualTlsUpstream): Contender {
  const { chain, key, root: authority } = mutualTls.certificate;
  const file = join(folder, "upstream.conf");
  writeFileSync(
    file,
    `daemon off; worker_processes 1; pid ${folder}/upstream.pid; error_log /dev/null;
events { worker_connections 1024; }
http { access_log off; keepalive_requests 1000000000; client_body_temp_path ${folder}; proxy_temp_path ${folder}; fastcgi_temp_path ${folder}; uwsgi_temp_path ${folder}; scgi_temp_path ${folder};
  server { listen 127.0.0.1:${port}; location / { return 200 "${"x".repeat(1024)}"; } }
  server { listen 127.0.0.1:${mutualTls.port} ssl; location / { return 200 "${"x".repeat(1024)}"; }
    ssl_certificate ${chain}; ssl_certificate_key ${key}; ssl_protocols TLSv1.3; ssl_client_certificate ${authority}; ssl_verify_client on; } }`,
  );
  return { name: "upstream", port, command: ["nginx", "-c", file, "-p", folder] };
}

/** One certificate for both sides, as workloads have them. */
export async function certify(folder: string): Promise<BootstrapCertificate> {
  const trustDomain = "cluster.local";
  const authority = await openCertificateAuthority(join(folder, "ca"), { clock, trustDomain });
  const spiffeUri = `spiffe://${trustDomain}/ns/default/sa/bench`;
  await writeCertificate(folder, await authority.issue({ spiffeUri, ttlSec: 3600 }));
  const { certificateChain: chain, key } = certificatePaths(folder);
  return { chain, key, root: join(folder, "ca", authorityFiles.root), trustDomain };
}
