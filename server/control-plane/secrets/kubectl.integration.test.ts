import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type HostCertificate, openHostAuthority } from "../../ca/host-authority.ts";
import { openSealer, type Sealer } from "../../ca/sealer.ts";
import { tempFolder } from "../../ca/testing/tls.ts";
import { MemoryConfigStore } from "../../config/memory-store.ts";
import { systemClock as clock } from "../../lib/clock.ts";
import { type ApiHarness, startApi } from "../api/testing/api-harness.ts";
import { createKubectl, findKubectl, type Kubectl } from "../api/testing/kubectl.ts";
import { openEntry, sealedStore } from "./sealed-store.ts";

const binary = findKubectl();

let folder: string;
let clean: () => Promise<void>;
let kubectl: Kubectl;
let api: ApiHarness;
let sealer: Sealer;
let inner: MemoryConfigStore;
let certificate: HostCertificate;

beforeAll(async () => {
  [folder, clean] = await tempFolder();
  sealer = await openSealer(join(folder, "secrets.key"));
  inner = new MemoryConfigStore({ clock });
  api = await startApi({ store: sealedStore(inner, sealer) });
  kubectl = createKubectl(binary ?? "", api.url);
  const authority = await openHostAuthority(join(folder, "hosts"), { clock, organization: "test" });
  certificate = await authority.issue({ names: { dns: ["a.test"] }, ttlSec: 3_600 });
  await writeFile(join(folder, "tls.crt"), certificate.chainPem);
  await writeFile(join(folder, "tls.key"), certificate.keyPem);
});
afterAll(async () => {
  kubectl?.cleanup();
  await api?.close();
  await clean?.();
});

const opened = async (name: string, entry: string) => {
  const object = await inner.get({ kind: "Secret", namespace: "default", name });
  return object && openEntry(object, entry, sealer)?.toString();
};

test.skipIf(!binary)(
  "kubectl makes, shows, describes, patches, applies and edits Secrets, and none shows what is in them",
  async () => {
    const said: string[] = [];
    const run = async (args: string[], input?: string) => {
      const { code, stdout, stderr } = await kubectl.run(args, input);
      said.push(stdout, stderr);
      expect([code, stderr.replace(/^Warning:.*\n/gm, "")]).toEqual([0, ""]);
      return stdout;
    };
    const files = [`--cert=${join(folder, "tls.crt")}`, `--key=${join(folder, "tls.key")}`];
    expect(await run(["create", "secret", "tls", "a", ...files])).toBe("secret/a created\n");
    expect(await opened("a", "tls.key")).toBe(certificate.keyPem);
    expect(await run(["create", "secret", "generic", "b", "--from-literal=word=hush-hush"])).toBe("secret/b created\n");
    expect(await run(["get", "secrets"])).toMatch(/a +kubernetes.io\/tls +2 +\d{4}-\d\d-\d\dT.*\n/);
    const yaml = await run(["get", "secret", "a", "-o", "yaml"]);
    expect(yaml).toContain("DNS:a.test");
    await run(["describe", "secret", "b"]);
    await run(["patch", "secret", "b", "-p", '{"metadata":{"labels":{"x":"y"}}}']);
    await run(["patch", "secret", "b", "--type=merge", "-p", '{"stringData":{"more":"shush-shush"}}']);
    expect([await opened("b", "word"), await opened("b", "more")]).toEqual(["hush-hush", "shush-shush"]);
    // What was read and is applied again changes nothing.
    await run(["apply", "-f", "-"], yaml);
    expect(await opened("a", "tls.key")).toBe(certificate.keyPem);
    const manifest = (word: string) =>
      `apiVersion: v1\nkind: Secret\nmetadata: { name: c }\nstringData: { word: ${word} }\n`;
    await run(["apply", "-f", "-"], manifest("first-word"));
    expect(await run(["apply", "-f", "-"], manifest("second-word"))).toBe("secret/c configured\n");
    expect(await opened("c", "word")).toBe("second-word");
    await run(["apply", "--server-side", "-f", "-"], manifest("third-word").replace("name: c", "name: d"));
    expect(await opened("d", "word")).toBe("third-word");
    await run(["delete", "secret", "d"]);
    const shown = said.join("\n");
    for (const word of ["hush-hush", "shush-shush", "first-word", "second-word", "third-word"]) {
      expect(shown).not.toContain(word);
      expect(shown).not.toContain(Buffer.from(word).toString("base64"));
    }
    expect(shown).not.toContain("PRIVATE KEY");
  },
);
