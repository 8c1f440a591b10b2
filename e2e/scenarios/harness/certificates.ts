import { execFile } from "node:child_process";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { isIP } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";

const run = promisify(execFile);

export interface Certificate {
  cert: string;
  key: string;
}

/** An authority of a test's own, as a file for proxies, and what it signs. Made with the `openssl` program. */
export interface Authority {
  readonly caPath: string;
  /** PEM. */
  root(): Promise<string>;
  issue(name: string): Promise<Certificate>;
  remove(): Promise<void>;
}

export async function createAuthority(): Promise<Authority> {
  const folder = await mkdtemp(join(tmpdir(), "limpid-ca-"));
  const at = (name: string) => join(folder, name);
  const openssl = (...args: string[]) => run("openssl", args);
  const newKey = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"];
  await openssl(
    "req",
    "-x509",
    ...newKey,
    ...["-days", "2", "-subj", "/CN=test authority", "-keyout", at("ca.key"), "-out", at("ca.pem")],
  );
  return {
    caPath: at("ca.pem"),
    root: () => readFile(at("ca.pem"), "utf8"),
    async issue(name) {
      await openssl("req", ...newKey, "-subj", `/CN=${name}`, "-keyout", at("leaf.key"), "-out", at("leaf.csr"));
      await writeFile(at("leaf.ext"), `subjectAltName=${isIP(name) === 0 ? "DNS" : "IP"}:${name}`);
      const signing = ["-CA", at("ca.pem"), "-CAkey", at("ca.key"), "-CAcreateserial", "-extfile", at("leaf.ext")];
      await openssl("x509", "-req", "-days", "2", "-in", at("leaf.csr"), ...signing, "-out", at("leaf.pem"));
      const [cert, key] = await Promise.all([readFile(at("leaf.pem"), "utf8"), readFile(at("leaf.key"), "utf8")]);
      return { cert, key };
    },
    remove: () => rm(folder, { recursive: true, force: true }),
  };
}
