import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { findEnvoy, installedPath, isNewEnough, parseVersion } from "./install-envoy.ts";

describe("version", () => {
  it("is read from Envoy's line only", () => {
    expect(parseVersion("\nenvoy  version: 9e55809/1.40.0/Clean/RELEASE/BoringSSL\n")).toEqual([1, 40, 0]);
    expect(parseVersion("go version go1.21 linux/amd64")).toBeUndefined();
  });
  it.each([
    [[1, 29, 9], false],
    [[1, 30, 0], true],
    [[2, 0, 0], true],
  ])("%j is new enough: %s", (version, expected) => expect(isNewEnough(version)).toBe(expected));
});

describe("findEnvoy", () => {
  let root = "";
  beforeEach(() => {
    root = mkdtempSync(join(tmpdir(), "envoy-"));
    vi.stubEnv("LIMPID_ENVOY", undefined);
    vi.stubEnv("PATH", `${join(root, "bin")}:/usr/bin:/bin`);
    vi.spyOn(process.stderr, "write").mockReturnValue(true);
  });
  afterEach(() => {
    vi.unstubAllEnvs();
    vi.restoreAllMocks();
    rmSync(root, { recursive: true });
  });
  const fake = (path: string, version: string) => {
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, `#!/bin/sh\necho 'envoy  version: abc/${version}/Clean/RELEASE/BoringSSL'\n`);
    chmodSync(path, 0o755);
    return path;
  };

  it("takes LIMPID_ENVOY before all others", async () => {
    fake(join(root, "bin/envoy"), "1.40.0");
    const named = fake(join(root, "mine"), "1.39.0");
    vi.stubEnv("LIMPID_ENVOY", named);
    expect(await findEnvoy(root)).toBe(named);
  });

  it("takes none when LIMPID_ENVOY doesn't run, and says so", async () => {
    vi.stubEnv("LIMPID_ENVOY", join(root, "missing"));
    expect(await findEnvoy(root)).toBeUndefined();
    expect(vi.mocked(process.stderr.write).mock.calls.join()).toContain("is not an Envoy that runs here");
  });

  it("takes the one on the PATH when it is new enough, else the installed one", async () => {
    const onPath = join(root, "bin/envoy");
    const installed = fake(installedPath(root), "1.40.0");
    expect(await findEnvoy(root)).toBe(installed);
    fake(onPath, "1.40.0");
    expect(await findEnvoy(root)).toBe("envoy");
    fake(onPath, "1.20.0");
    expect(await findEnvoy(root)).toBe(installed);
  });

  it("finds none", async () => {
    expect(await findEnvoy(root)).toBeUndefined();
  });
});
