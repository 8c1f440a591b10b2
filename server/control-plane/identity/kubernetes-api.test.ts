import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { apiServerOf, audiencesOf } from "./kubernetes-api.ts";

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "kubernetes-api-"));
  writeFileSync(join(folder, "ca.crt"), "ROOT");
  writeFileSync(join(folder, "token"), " reviewer\n");
});
afterAll(() => rmSync(folder, { recursive: true }));

const kubeconfig = (user: object, server = "https://10.0.0.1:6443/prefix") => {
  const path = join(folder, "config");
  const text = JSON.stringify({
    "current-context": "mesh",
    contexts: [{ name: "mesh", context: { cluster: "c", user: "u" } }],
    clusters: [{ name: "c", cluster: { server, "certificate-authority": "ca.crt" } }],
    users: [{ name: "u", user }],
  });
  writeFileSync(path, text);
  return { LIMPID_KUBERNETES_KUBECONFIG: path };
};

describe("where the API server is", () => {
  it("is nowhere unless it is said", () => expect(apiServerOf({})).toBeUndefined());

  it("is read from variables, the token anew each time", async () => {
    const [ca, token] = [join(folder, "ca.crt"), join(folder, "token")];
    const env = { LIMPID_KUBERNETES_CA_FILE: ca, LIMPID_KUBERNETES_TOKEN_FILE: token };
    const found = apiServerOf({ LIMPID_KUBERNETES_API: "https://10.0.0.1:6443", ...env });
    expect([found?.url.href, found?.ca, await found?.token?.()]).toEqual([
      "https://10.0.0.1:6443/",
      "ROOT",
      "reviewer",
    ]);
    writeFileSync(token, "newer");
    expect(await found?.token?.()).toBe("newer");
    const pod = { KUBERNETES_SERVICE_HOST: "fd00::1", KUBERNETES_SERVICE_PORT: "6443" };
    expect(apiServerOf({ LIMPID_KUBERNETES_API: "in-cluster", ...env, ...pod })?.url.host).toBe("[fd00::1]:6443");
  });

  it("is read from a kubeconfig, with files beside it", async () => {
    const found = apiServerOf(kubeconfig({ token: "t" }));
    expect([found?.url.pathname, found?.ca, await found?.token?.()]).toEqual(["/prefix", "ROOT", "t"]);
    expect(await apiServerOf(kubeconfig({ tokenFile: "token" }))?.token?.()).toBe("newer");
    const pem = Buffer.from("PEM").toString("base64");
    const shown = apiServerOf(kubeconfig({ "client-certificate-data": pem, "client-key-data": pem }));
    expect(shown?.certificate).toEqual({ cert: "PEM", key: "PEM" });
  });

  it.each<[string, () => Record<string, string>, RegExp]>([
    [
      "plain text",
      () => ({ LIMPID_KUBERNETES_API: "http://a", LIMPID_KUBERNETES_TOKEN_FILE: join(folder, "token") }),
      /must be an https address/,
    ],
    ["no token", () => ({ LIMPID_KUBERNETES_API: "https://a" }), /LIMPID_KUBERNETES_TOKEN_FILE must name/],
    [
      "no such file",
      () => ({ LIMPID_KUBERNETES_API: "https://a", LIMPID_KUBERNETES_TOKEN_FILE: "/nosuch" }),
      /\/nosuch can't be read \(ENOENT\)/,
    ],
    ["outside of a cluster", () => ({ LIMPID_KUBERNETES_API: "in-cluster" }), /needs KUBERNETES_SERVICE_HOST/],
    ["both", () => ({ LIMPID_KUBERNETES_API: "https://a", LIMPID_KUBERNETES_KUBECONFIG: "x" }), /one of the two/],
    ["a user without anything", () => kubeconfig({}), /must have a token, a tokenFile or a client certificate/],
    ["a server in plain text", () => kubeconfig({ token: "t" }, "http://a"), /must be an https address/],
    ["what is no kubeconfig", () => ({ LIMPID_KUBERNETES_KUBECONFIG: join(folder, "ca.crt") }), /is no kubeconfig/],
  ])("says what is wrong: %s", (_, env, message) => expect(() => apiServerOf(env())).toThrow(message));

  it("takes tokens for istio-ca, or for what is named", () => {
    expect(audiencesOf({})).toEqual(["istio-ca"]);
    expect(audiencesOf({ LIMPID_KUBERNETES_AUDIENCE: " a , b,," })).toEqual(["a", "b"]);
  });
});
