import { describe, expect, it, vi } from "vitest";
import type { IssuedCertificate } from "../ca/certificate-authority.ts";
import { silentLogger } from "../lib/logger.ts";
import { FakeClock } from "../lib/testing/fake-clock.ts";
import { WorkloadCertificates } from "./workload-certificates.ts";

const identity = "spiffe://cluster.local/ns/default/sa/reviews";
const hour = 3_600_000;

/** Certificates that are only numbered; `fail` has the next ones not issued. */
function setUp() {
  const clock = new FakeClock();
  const changes: string[] = [];
  let count = 0;
  let failing = false;
  const certificates = new WorkloadCertificates({
    authority: {
      rootPem: "root",
      async issue({ spiffeUri, ttlSec }): Promise<IssuedCertificate> {
        if (failing) throw new Error("no key today");
        const serial = String(++count);
        const notAfterMs = clock.now() + ttlSec * 1000;
        return {
          spiffeUri,
          keyPem: `key ${serial}`,
          chainPem: `chain ${serial}`,
          serial,
          notBeforeMs: clock.now(),
          notAfterMs,
        };
      },
    },
    clock,
    logger: silentLogger,
    random: () => 0.5,
    onChange: (changed) => changes.push(changed),
  });
  const chain = (of = identity) => {
    const type = certificates.secretsOf(of)?.get("default")?.type;
    const chained = type?.case === "tlsCertificate" ? type.value.certificateChain?.specifier.value : undefined;
    return chained && Buffer.from(chained as Uint8Array).toString();
  };
  return {
    clock,
    certificates,
    changes,
    chain,
    issued: () => count,
    fail: (on: boolean) => {
      failing = on;
    },
  };
}

describe("workload certificates", () => {
  it("are issued once for all proxies of an identity, and told of", async () => {
    const { certificates, changes, chain, issued } = setUp();
    certificates.hold(identity);
    certificates.hold(identity);
    expect(certificates.secretsOf(identity)).toBeUndefined();
    await vi.waitFor(() => expect(changes).toEqual([identity]));
    expect(chain()).toBe("chain 1");
    expect(issued()).toBe(1);
    expect([...(certificates.secretsOf(identity)?.keys() ?? [])]).toEqual(["default", "ROOTCA"]);
    expect(certificates.secondsToExpiry()).toBe(24 * 3600);
  });

  it("are replaced at half their life while somebody holds them", async () => {
    const { certificates, changes, chain, clock } = setUp();
    certificates.hold(identity);
    await vi.waitFor(() => expect(changes).toHaveLength(1));
    clock.advance(12 * hour - 1);
    expect(chain()).toBe("chain 1");
    clock.advance(1);
    await vi.waitFor(() => expect(chain()).toBe("chain 2"));
    expect(changes).toHaveLength(2);
    clock.advance(12 * hour);
    await vi.waitFor(() => expect(chain()).toBe("chain 3"));
  });

  it("are there for who comes back soon, and forgotten when nobody does", async () => {
    const { certificates, chain, clock, issued } = setUp();
    certificates.hold(identity);
    await vi.waitFor(() => expect(chain()).toBe("chain 1"));
    certificates.release(identity);
    clock.advance(hour);
    certificates.hold(identity);
    expect(chain()).toBe("chain 1");
    certificates.release(identity);
    clock.advance(12 * hour);
    expect(certificates.size).toBe(0);
    expect(issued()).toBe(1);
    expect(clock.pending).toBe(0);
  });

  it("stay in use while no other can be issued, which is tried again and again", async () => {
    const { certificates, chain, clock, fail } = setUp();
    certificates.hold(identity);
    await vi.waitFor(() => expect(chain()).toBe("chain 1"));
    fail(true);
    clock.advance(12 * hour);
    await vi.waitFor(() => expect(clock.pending).toBe(1));
    expect(chain()).toBe("chain 1");
    clock.advance(60_000);
    await vi.waitFor(() => expect(clock.pending).toBe(1));
    fail(false);
    clock.advance(60_000);
    await vi.waitFor(() => expect(chain()).toBe("chain 2"));
  });

  it("come to an end with the control plane, also one that is just being issued", async () => {
    const { certificates, changes, clock } = setUp();
    certificates.hold(identity);
    certificates.close();
    await new Promise((done) => setImmediate(done));
    expect(changes).toEqual([]);
    expect(clock.pending).toBe(0);
  });
});
