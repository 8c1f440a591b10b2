import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { openCertificateAuthority } from "../../server/ca/certificate-authority.ts";
import { generateKeys } from "../../server/ca/keys.ts";
import { createSigningRequest, readSigningRequest } from "../../server/ca/signing-request.ts";
import { systemClock as clock } from "../../server/lib/clock.ts";
import { Bars } from "./bars.ts";

const count = 2_000;

/** How much of a core it takes to check and sign requests, and to make keys and certificates, one after another. */
export async function benchSigning(): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), "limpid-bench-ca-"));
  const bars = new Bars();
  try {
    const authority = await openCertificateAuthority(join(folder, "ca"), { clock, trustDomain: "cluster.local" });
    const request = { spiffeUri: "spiffe://cluster.local/ns/default/sa/bench", ttlSec: 86_400 };
    const csrs: string[] = [];
    for (let index = 0; index < count; index++) csrs.push(await createSigningRequest(await generateKeys()));
    await measure(bars, "requests checked and signed", async (index) => {
      await authority.sign({ ...request, publicKey: await readSigningRequest(csrs[index] ?? "") });
    });
    await measure(bars, "certificates issued with their keys", async () => void (await authority.issue(request)));
    bars.table();
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Processor time of all threads, which is what one core would take; on an idle machine of several less time passes. */
async function measure(bars: Bars, what: string, once: (index: number) => Promise<void>): Promise<void> {
  const cpu = process.cpuUsage();
  const started = performance.now();
  for (let index = 0; index < count; index++) await once(index);
  const { user, system } = process.cpuUsage(cpu);
  const seconds = (performance.now() - started) / 1000;
  bars.add({ what: `${count} ${what}, processor time`, value: (user + system) / 1e6, unit: "s", most: 10 });
  process.stdout.write(`  ${seconds.toFixed(1)} s passed\n`);
}
