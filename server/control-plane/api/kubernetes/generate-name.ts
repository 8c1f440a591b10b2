import { randomInt } from "node:crypto";
import { isRecord } from "../body.ts";

// No vowels and nothing that looks like another: no words come about, and people can read names out. As Kubernetes has it.
const alphabet = "bcdfghjklmnpqrstvwxz2456789";
const suffixLength = 5;
const maxPrefixLength = 63 - suffixLength;

/** The object with a name made of `metadata.generateName`, where it has no name: https://kubernetes.io/docs/reference/using-api/api-concepts/#generated-values */
export function withGeneratedName(body: Record<string, unknown>): Record<string, unknown> {
  const { metadata } = body;
  if (!isRecord(metadata) || metadata.name || typeof metadata.generateName !== "string" || !metadata.generateName) {
    return body;
  }
  const suffix = Array.from({ length: suffixLength }, () => alphabet[randomInt(alphabet.length)]).join("");
  return { ...body, metadata: { ...metadata, name: metadata.generateName.slice(0, maxPrefixLength) + suffix } };
}
