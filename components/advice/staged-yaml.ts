/** Tried by proxies without refusing anybody, noted where it matches, or in force. */
export const stages = ["dry-run", "audit", "enforce"] as const;
export type Stage = (typeof stages)[number];

const annotation = /^ {2}annotations:\n {4}istio\.io\/dry-run: "true"\n/m;

/** A policy's YAML, as it is proposed, at a stage. https://istio.io/latest/docs/tasks/security/authorization/authz-dry-run/ */
export function atStage(yaml: string, stage: Stage): string {
  const plain = yaml.replace(annotation, "").replace(/^ {2}action: AUDIT$/m, "  action: ALLOW");
  if (stage === "audit") return plain.replace(/^ {2}action: ALLOW$/m, "  action: AUDIT");
  if (stage === "enforce") return plain;
  return plain.replace(/^metadata:\n/m, 'metadata:\n  annotations:\n    istio.io/dry-run: "true"\n');
}
