import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { authorityFiles } from "../../../server/ca/authority-files.ts";
import {
  type CertificateAuthority,
  type IssuedCertificate,
  openCertificateAuthority,
} from "../../../server/ca/certificate-authority.ts";
import { writeCertificate } from "../../../server/ca/write-certificate.ts";
import type { BootstrapCertificate } from "../../../server/fleet/bootstrap.ts";
import { systemClock as clock } from "../../../server/lib/clock.ts";
import { spiffeUri } from "../../../server/lib/spiffe.ts";

const trustDomain = "cluster.local";

/** The mesh's authority in a folder of the test's own. */
export class TestAuthority {
  readonly authority: CertificateAuthority;
  readonly #folder: string;

  private constructor(authority: CertificateAuthority, folder: string) {
    this.authority = authority;
    this.#folder = folder;
  }

  static async create(): Promise<TestAuthority> {
    const folder = await mkdtemp(join(tmpdir(), "limpid-authority-"));
    return new TestAuthority(await openCertificateAuthority(join(folder, "ca"), { clock, trustDomain }), folder);
  }

  /** As files, for a proxy's bootstrap. */
  async certify(serviceAccount: string, namespace = "default"): Promise<BootstrapCertificate> {
    const request = { spiffeUri: spiffeUri({ trustDomain, namespace, serviceAccount }), ttlSec: 3600 };
    const folder = join(this.#folder, `${namespace}-${serviceAccount}`);
    const { key, certificateChain: chain } = await writeCertificate(folder, await this.authority.issue(request));
    return { chain, key, root: join(this.#folder, "ca", authorityFiles.root), trustDomain };
  }

  /** Of another trust domain, below the same root. */
  async issue(trustDomain: string, serviceAccount: string, namespace = "default"): Promise<IssuedCertificate> {
    const authority = await openCertificateAuthority(join(this.#folder, "ca"), { clock, trustDomain });
    return authority.issue({ spiffeUri: spiffeUri({ trustDomain, namespace, serviceAccount }), ttlSec: 3600 });
  }

  remove(): Promise<void> {
    return rm(this.#folder, { recursive: true, force: true });
  }
}
