import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { openCertificateAuthority } from "../../server/ca/certificate-authority.ts";
import { generateKeys } from "../../server/ca/keys.ts";
import { createSigningRequest, readSigningRequest } from "../../server/ca/signing-request.ts";
import { systemClock as clock } from "../../server/lib/clock.ts";

const count = 2_000;

/** How long it takes to check and sign requests, and to make keys and certificates, one after another. */
export async function benchSigning(): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), "limpid-bench-ca-"));
  try {
    const authority = await openCertificateAuthority(join(folder, "ca"), { clock, trustDomain: "cluster.local" });
    const request = { spiffeUri: "spiffe://cluster.local/ns/default/sa/bench", ttlSec: 86_400 };
    const csrs: string[] = [];
    for (let index = 0; index < count; index++) csrs.push(await createSigningRequest(await generateKeys()));
    await measure("requests checked and signed", async (index) => {
      await authority.sign({ ...request, publicKey: await readSigningRequest(csrs[index] ?? "") });
    });
    await measure("certificates issued with their keys", async () => void (await authority.issue(request)));
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

async function measure(what: string, once: (index: number) => Promise<void>): Promise<void> {
  const cpu = process.cpuUsage();
  const started = performance.now();
  for (let index = 0; index < count; index++) await once(index);
  const { user, system } = process.cpuUsage(cpu);
  const seconds = (ms: number) => (ms / 1000).toFixed(1);
  console.log(
    `${count} ${what}: ${seconds(performance.now() - started)} s, ${seconds((user + system) / 1000)} s of processor time`,
  );
}
