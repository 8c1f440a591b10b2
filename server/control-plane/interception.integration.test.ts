import { execFile, execFileSync } from "node:child_process";
import { join } from "node:path";
import { promisify } from "node:util";
import { expect, test } from "vitest";
import { envoyMissing } from "../xds/testing/envoy.ts";

const iptables = process.env.LIMPID_IPTABLES ?? "iptables";

/** Root may have network namespaces and redirections in them; on many a machine nobody may, or iptables is not there. */
function cannotIntercept(): boolean {
  if (envoyMissing || process.platform !== "linux" || process.getuid?.() !== 0) return true;
  try {
    const rule = `${iptables} -t nat -A OUTPUT -p tcp -m owner --uid-owner 1338 -j REDIRECT --to-ports 15001`;
    execFileSync("unshare", ["-n", "sh", "-c", `ip link set lo up && ${rule}`], { stdio: "ignore" });
    return false;
  } catch {
    return true;
  }
}

/** With TPROXY the application sees who called; with REDIRECT it is called from an address that iptables let pass. */
const modes = [
  { mode: "REDIRECT", caller: "127.0.0.6" },
  { mode: "TPROXY", caller: "10.0.0.8" },
];

test.skipIf(cannotIntercept()).each(modes)(
  "iptables bring a stock sidecar's traffic to a real Envoy, both ways: $mode",
  async ({ mode, caller }) => {
    const script = join(import.meta.dirname, "testing/intercepted-mesh.ts");
    const { stdout } = await promisify(execFile)("unshare", ["-n", process.execPath, script, mode], {
      timeout: 90_000,
    });
    expect(JSON.parse(stdout)).toEqual({
      service: expect.stringMatching(/^200 limpid reviews from/),
      rule: expect.stringMatching(/^418 limpid/),
      unknownHost: expect.stringMatching(/^200 {2}elsewhere from/),
      unknownOnKnownPort: expect.stringContaining("503"),
      serverFirst: "welcome",
      inbound: `200 limpid productpage from ${caller}`,
      inboundUnlisted: `200  unlisted from ${caller}`,
    });
  },
  120_000,
);
