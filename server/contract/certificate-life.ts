import type { ProxyCertificate } from "./proxies.ts";

export interface CertificateLife {
  leftMs: number;
  /** `warn`: it should have been replaced long ago, at half its life; `bad`: it has ended. */
  tone: "plain" | "warn" | "bad";
}

/** Of what a proxy was given, at a moment (Unix milliseconds). */
export function lifeOf({ notBeforeMs, notAfterMs }: ProxyCertificate, now: number): CertificateLife {
  const leftMs = Math.max(0, notAfterMs - now);
  const late = leftMs < (notAfterMs - notBeforeMs) / 4;
  return { leftMs, tone: leftMs === 0 ? "bad" : late ? "warn" : "plain" };
}
