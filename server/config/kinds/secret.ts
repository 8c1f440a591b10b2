import { createPrivateKey, type KeyObject, X509Certificate } from "node:crypto";
import { z } from "zod";
import { type Told, told } from "../../contract/told.ts";
import { certificateBlocks } from "../../lib/pem.ts";
import type { FieldError } from "../../lib/result.ts";
import type { ConfigObject } from "../object.ts";
import { defineKind } from "./define.ts";
import { text } from "./schema.ts";

/** What is shown in place of a value: which of the sealed ones it is, and nothing of what is in it. Written back, it means the one that is there. */
const placeholderForm = /^KHNlYWxlZ/; // base64 of "(sealed"

/** In base64, so that Kubernetes' clients can read it; `id` is of letters and digits, or empty where there is none to tell apart. */
export const sealedPlaceholder = (id: string): string => Buffer.from(`(sealed${id && ` ${id}`})`).toString("base64");

/** The `id` of a placeholder; undefined: it is a value. */
export function placeholderId(value: string): string | undefined {
  if (!placeholderForm.test(value)) return undefined;
  return /^\(sealed(?: ([0-9a-z]+))?\)$/.exec(Buffer.from(value, "base64").toString())?.map((it) => it ?? "")[1];
}

/** Of what the store keeps in place of a value; no base64 has a colon. */
export const isSealed = (value: string): boolean => value.startsWith("sealed:");

const entryName = text((name) =>
  /^[-._a-zA-Z0-9]{1,253}$/.test(name) ? undefined : told("entry-name", { value: JSON.stringify(name) }),
);

const base64 = text(
  (value) => {
    const plain = value.replace(/\s/g, "");
    const isRight = isSealed(value) || (/^[A-Za-z0-9+/]*={0,2}$/.test(plain) && plain.length % 4 === 0);
    return isRight ? undefined : told("base64-or-plain", {});
  },
  told("base64-text", {}),
);

/** https://kubernetes.io/docs/reference/kubernetes-api/config-and-storage-resources/secret-v1/ */
const secretSpecSchema = z.strictObject({
  type: z
    .string()
    .max(253)
    .optional()
    .describe(
      "kubernetes.io/tls: tls.crt and tls.key (and ca.crt); Opaque, when unset: cert, key, cacert and crl, or whatever.",
    ),
  data: z
    .record(entryName, base64)
    .optional()
    .describe("Values in base64. They are sealed when they are stored, and never shown again."),
  stringData: z
    .record(
      entryName,
      text(() => undefined, told("quote-it", {})),
    )
    .optional()
    .describe("Values as text, for writing: they become data."),
  immutable: z.boolean().optional().describe("Kept, and without effect."),
});
export type SecretSpec = z.output<typeof secretSpecSchema>;

/** How gateways find a certificate, its key, what to trust and what was taken back, in either form. */
export const secretEntries = {
  certificate: ["tls.crt", "cert"],
  key: ["tls.key", "key"],
  authorities: ["ca.crt", "cacert"],
  revoked: ["ca.crl", "crl"],
} as const;

export const secret = defineKind({
  kind: "Secret",
  group: "",
  version: "v1",
  aliases: [],
  plural: "secrets",
  singular: "secret",
  shortNames: [],
  categories: [],
  flat: true,
  spec: secretSpecSchema,
  defaultSpec: {},
  check: checkContents,
  columns: [
    {
      name: "Type",
      type: "string",
      description: "What its entries are",
      priority: 0,
      value: (object) => (object.spec as SecretSpec).type ?? "Opaque",
    },
    {
      name: "Data",
      type: "integer",
      description: "Number of entries",
      priority: 0,
      value: (object) => Object.keys((object.spec as SecretSpec).data ?? {}).length,
    },
    {
      name: "Expires",
      type: "string",
      description: "When its first certificate ends",
      priority: 0,
      value: (object) => firstEnd(object) ?? "",
    },
  ],
});

/** As the control plane notes it when the values are written. */
export interface SecretStatus {
  certificates?: SecretCertificate[];
}
export interface SecretCertificate {
  entry: string;
  subject: string;
  subjectAltNames: string[];
  issuer: string;
  serial: string;
  sha256: string;
  /** RFC 3339. */
  notBefore: string;
  notAfter: string;
}

const firstEnd = ({ status }: ConfigObject): string | undefined =>
  ((status as SecretStatus | undefined)?.certificates ?? []).map(({ notAfter }) => notAfter).sort()[0];

/** The value of an entry as it was written; undefined: there is none, or it can't be seen (any more). */
function plain({ data = {}, stringData = {} }: SecretSpec, entry: string): string | undefined {
  if (stringData[entry] !== undefined) return stringData[entry];
  const value = data[entry];
  if (value === undefined || isSealed(value) || placeholderId(value) !== undefined) return undefined;
  return Buffer.from(value, "base64").toString();
}

const has = ({ data = {}, stringData = {} }: SecretSpec, entry: string): boolean =>
  entry in data || entry in stringData;

/** Entries that gateways know are looked at while they can be seen. No message quotes what is in them. */
function checkContents({ spec }: ConfigObject<SecretSpec>): FieldError[] {
  const errors: FieldError[] = [];
  const report = (entry: string, what: Told) =>
    errors.push({
      path: `${entry in (spec.stringData ?? {}) ? "stringData" : "data"}[${JSON.stringify(entry)}]`,
      ...what,
    });
  if (spec.type === "kubernetes.io/tls") {
    for (const entry of ["tls.crt", "tls.key"])
      if (!has(spec, entry)) report(entry, told("required-for", { what: "type: kubernetes.io/tls" }));
  }
  for (const [form, certificate] of secretEntries.certificate.entries()) {
    const [chain, key] = [plain(spec, certificate), plain(spec, secretEntries.key[form] ?? "")];
    const [leaf] = chain === undefined ? [] : certificatesIn(chain, (what) => report(certificate, what));
    const own = key === undefined ? undefined : privateKeyIn(key);
    if (key !== undefined && own === undefined) report(secretEntries.key[form] ?? "", told("no-private-key", {}));
    if (leaf && own && !leaf.checkPrivateKey(own))
      report(secretEntries.key[form] ?? "", told("other-key", { certificate }));
  }
  for (const entry of secretEntries.authorities) {
    const pem = plain(spec, entry);
    if (pem !== undefined) certificatesIn(pem, (what) => report(entry, what));
  }
  for (const entry of secretEntries.revoked) {
    const pem = plain(spec, entry);
    if (pem !== undefined && !pem.includes("-----BEGIN X509 CRL-----")) report(entry, told("no-crl", {}));
  }
  return errors;
}

/** Every certificate of a PEM text; tells what keeps it from having any. */
export function certificatesIn(pem: string, report: (what: Told) => void): X509Certificate[] {
  const blocks = certificateBlocks(pem);
  if (blocks.length === 0) report(told("no-certificate", {}));
  return blocks.flatMap((block, index) => {
    try {
      return [new X509Certificate(block)];
    } catch {
      report(told("certificate-unread", { number: index + 1 }));
      return [];
    }
  });
}

function privateKeyIn(pem: string): KeyObject | undefined {
  try {
    return createPrivateKey(pem);
  } catch {
    return undefined;
  }
}
