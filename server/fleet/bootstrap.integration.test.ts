import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { expect, test } from "vitest";
import { bootstrapFor } from "./bootstrap.ts";
import { bootstrapCertificate, certifyProxies } from "./certificates.ts";
import { findEnvoy } from "./envoy.ts";
import { meshPorts, workloadPorts } from "./ports.ts";

const envoy = findEnvoy(resolve(import.meta.dirname, "../../.build"));

test.skipIf(envoy === undefined && !process.env.CI).each([
  ["sidecar", { kind: "port" }],
  ["router", { kind: "socket", path: "run/reviews-v1.admin.sock" }],
] as const)(
  "real Envoy takes the bootstrap of a %s, admin on a %s (skipped without an Envoy binary)",
  async (type, admin) => {
    const folder = mkdtempSync(join(tmpdir(), "limpid-bootstrap-"));
    try {
      const file = join(folder, "bootstrap.json");
      const identity = {
        type,
        workload: "reviews-v1",
        namespace: "default",
        serviceAccount: "bookinfo-reviews",
        labels: { app: "reviews", version: "v1" },
        inboundPorts: [{ port: 9080, app: workloadPorts(3, 0).app }],
      };
      await certifyProxies(folder, [identity]);
      const certificate = bootstrapCertificate(folder, identity.workload);
      const bootstrap = bootstrapFor(identity, workloadPorts(3, 0), meshPorts(0), certificate, admin);
      writeFileSync(file, JSON.stringify(bootstrap));
      const said = execFileSync(envoy ?? "envoy", ["--mode", "validate", "-c", file], {
        encoding: "utf8",
        stdio: ["ignore", "pipe", "pipe"],
      });
      expect(said).toContain("OK");
    } finally {
      rmSync(folder, { recursive: true });
    }
  },
);
