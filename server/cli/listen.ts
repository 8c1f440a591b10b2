import { readFileSync } from "node:fs";
import { isIP } from "node:net";
import ipaddr from "ipaddr.js";
import type { ServerTls } from "../ca/console-authority.ts";

type Env = Readonly<Record<string, string | undefined>>;

const loopback = "127.0.0.1";

/**
 * Where listeners that ask who calls are bound: LIMPID_LISTEN, an address of this machine or `0.0.0.0`; loopback when unset. What asks nobody stays on
 * loopback in any case. Throws an Error in a sentence.
 */
export function listenAddress(env: Env): string {
  const given = env.LIMPID_LISTEN?.trim();
  if (!given) return loopback;
  if (isIP(given) === 0) throw new Error(`LIMPID_LISTEN must be an IP address, such as 0.0.0.0, not ${given}`);
  return given;
}

/** Where such a listener is bound: at a single address of this machine besides loopback, by which the parts here come. */
export const listenAddresses = (address: string): string[] =>
  isLoopbackAddress(address) || address === "0.0.0.0" || address === "::" ? [address] : [loopback, address];

export const isLoopbackAddress = (address: string): boolean => ipaddr.process(address).range() === "loopback";

/** LIMPID_TLS_CERT_FILE with LIMPID_TLS_KEY_FILE, PEM; undefined when neither is set. Throws an Error that names what is wrong. */
export function givenCertificate(env: Env): ServerTls | undefined {
  const { LIMPID_TLS_CERT_FILE: cert, LIMPID_TLS_KEY_FILE: key } = env;
  if (!cert && !key) return undefined;
  if (!cert || !key) throw new Error("LIMPID_TLS_CERT_FILE and LIMPID_TLS_KEY_FILE go together");
  return { cert: read("LIMPID_TLS_CERT_FILE", cert), key: read("LIMPID_TLS_KEY_FILE", key) };
}

/**
 * Where the dashboard serves HTTPS; undefined: nowhere, with no certificate and on loopback. Throws an Error in a sentence: passwords and sessions of other machines go over
 * TLS, and by a certificate that their browsers know.
 */
export function dashboardListener(env: Env): { address: string; certificate: ServerTls } | undefined {
  const address = listenAddress(env);
  const certificate = givenCertificate(env);
  if (certificate) return { address, certificate };
  if (isLoopbackAddress(address)) return undefined;
  throw new Error(
    "LIMPID_LISTEN: other machines are served over HTTPS only: set LIMPID_TLS_CERT_FILE and LIMPID_TLS_KEY_FILE",
  );
}

function read(name: string, path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch (error) {
    throw new Error(`${name}: ${path} can't be read (${(error as NodeJS.ErrnoException).code})`);
  }
}

/** The address for people: LIMPID_URL without its path, else what is given. Throws an Error in a sentence. */
export function consoleUrl(env: Env, fallback: string): string {
  const given = env.LIMPID_URL?.trim();
  if (!given) return fallback;
  const url = URL.parse(given);
  if (url === null || !/^https?:$/.test(url.protocol))
    throw new Error(`LIMPID_URL must be an http or https address, not ${given}`);
  return url.origin;
}
