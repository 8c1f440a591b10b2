import { z } from "zod";
import { wildcardHostError } from "./names.ts";
import { notYet, rule, text } from "./schema.ts";

const onlySimple = "Limpid's proxies have no certificate of their own to show";

/** TLS that the client's proxy begins. https://istio.io/latest/docs/reference/config/networking/destination-rule/#ClientTLSSettings */
export const tlsSettingsSchema = rule(
  z.strictObject({
    mode: z
      .enum(["DISABLE", "SIMPLE"], {
        error: (issue) =>
          typeof issue.input === "string" && ["MUTUAL", "ISTIO_MUTUAL"].includes(issue.input)
            ? `${issue.input} is not supported yet by Limpid; ${onlySimple}. Use SIMPLE, DISABLE or leave tls out`
            : "must be DISABLE or SIMPLE (Istio's MUTUAL and ISTIO_MUTUAL are not supported yet by Limpid)",
      })
      .optional()
      .describe("SIMPLE: the proxy opens TLS and checks the server's certificate."),
    caCertificates: text((path) =>
      path.startsWith("/") || path === "system"
        ? undefined
        : 'must be an absolute path on the proxy\'s machine, or "system"',
    )
      .optional()
      .describe("File with the authorities to trust; the machine's own when unset."),
    subjectAltNames: z
      .array(z.string().min(1))
      .optional()
      .describe("Names of which the certificate must carry one; the service's host when unset."),
    sni: text(wildcardSni).optional().describe("Server name to ask for; the service's host when unset."),
    insecureSkipVerify: z.boolean().optional().describe("Takes any certificate of any name."),
    clientCertificate: notYet(onlySimple),
    privateKey: notYet(onlySimple),
    caCrl: notYet(""),
    credentialName: notYet("use caCertificates"),
  }),
  (tls, report) => {
    if (tls.insecureSkipVerify !== true) return;
    for (const key of ["caCertificates", "subjectAltNames"] as const) {
      if (tls[key] !== undefined) report([key], "has no effect with insecureSkipVerify: true");
    }
  },
);
export type ClientTLSSettings = z.output<typeof tlsSettingsSchema>;

function wildcardSni(name: string): string | undefined {
  return name.startsWith("*") ? "must be one name, without '*'" : wildcardHostError(name);
}
