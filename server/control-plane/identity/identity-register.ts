import { z } from "zod";
import type { Clock } from "../../lib/clock.ts";
import type { JsonFile } from "../../lib/json-file.ts";
import { parseSpiffeUri, spiffeUri } from "../../lib/spiffe.ts";

/** How somebody proved who they are when a certificate was signed for them. */
export type IssuedBy = "stream" | "certificate" | "token" | "kubernetes";

const certificateSchema = z.object({
  serial: z.string(),
  spiffeUri: z.string(),
  /** Unix milliseconds. */
  notBeforeMs: z.number(),
  notAfterMs: z.number(),
  issuedMs: z.number(),
  by: z.enum(["stream", "certificate", "token", "kubernetes"]),
});
export type RegisteredCertificate = z.output<typeof certificateSchema>;

const revokedSchema = z.object({ spiffeUri: z.string(), atMs: z.number(), reason: z.string() });
export type RevokedIdentity = z.output<typeof revokedSchema>;

const stored = z.object({ certificates: z.array(certificateSchema), revoked: z.array(revokedSchema) });

/** Beyond which the oldest are forgotten, though they are still good. */
const maxCertificates = 20_000;
/** A fleet that renews together is one write, not thousands. */
const writeAfterMs = 1_000;

/** What was signed and has not ended, and who gets nothing more. */
export class IdentityRegister {
  readonly #clock: Clock;
  readonly #file: JsonFile | undefined;
  #certificates: RegisteredCertificate[];
  #revoked: Map<string, RevokedIdentity>;
  #timer: { cancel(): void } | undefined;

  /**
   * @param trustDomain the mesh's own: who was revoked before the mesh was called so is known by it, too
   * @param file where it is kept over a restart; unset: nowhere. Throws an Error that names a file that can't be read.
   */
  constructor(clock: Clock, trustDomain: string, file?: JsonFile) {
    this.#clock = clock;
    this.#file = file;
    const kept = stored.parse(file?.read() ?? { certificates: [], revoked: [] });
    this.#certificates = kept.certificates;
    this.#revoked = new Map(
      kept.revoked.map((it) => {
        const id = parseSpiffeUri(it.spiffeUri);
        const own = id ? spiffeUri({ ...id, trustDomain }) : it.spiffeUri;
        return [own, { ...it, spiffeUri: own }];
      }),
    );
  }

  add(certificate: Omit<RegisteredCertificate, "issuedMs">): void {
    this.#certificates.push({ ...certificate, issuedMs: this.#clock.now() });
    if (this.#certificates.length > maxCertificates) this.#certificates = this.list().slice(-maxCertificates);
    this.#timer ??= this.#clock.setTimeout(() => this.#write(), writeAfterMs);
  }

  /** In the order in which they were signed; those that ended are not among them. */
  list(): RegisteredCertificate[] {
    return this.#certificates.filter(({ notAfterMs }) => notAfterMs > this.#clock.now());
  }

  revoked(): RevokedIdentity[] {
    return [...this.#revoked.values()];
  }

  isRevoked(identity: string): boolean {
    return this.#revoked.has(identity);
  }

  /** It gets no certificate any more. Kept before this returns. */
  revoke(identity: string, reason: string): void {
    this.#revoked.set(identity, { spiffeUri: identity, atMs: this.#clock.now(), reason });
    this.#write();
  }

  /** False: it was not revoked. */
  restore(identity: string): boolean {
    const was = this.#revoked.delete(identity);
    if (was) this.#write();
    return was;
  }

  stop(): void {
    if (this.#timer !== undefined) this.#write();
  }

  #write(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
    this.#certificates = this.list();
    this.#file?.write({ certificates: this.#certificates, revoked: this.revoked() });
  }
}
