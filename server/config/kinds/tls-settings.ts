import { z } from "zod";
import { type Told, told } from "../../contract/told.ts";
import { subdomainError } from "./metadata.ts";
import { sniHostError } from "./names.ts";
import { orNull, rule, text } from "./schema.ts";

/** TLS that the client's proxy begins. https://istio.io/latest/docs/reference/config/networking/destination-rule/#ClientTLSSettings */
export const tlsSettingsSchema = rule(
  z.strictObject({
    mode: z
      .enum(["DISABLE", "SIMPLE", "MUTUAL", "ISTIO_MUTUAL"])
      .optional()
      .describe(
        "SIMPLE: the proxy opens TLS and checks the server's certificate. MUTUAL: it also shows one from a file. ISTIO_MUTUAL: both sides show those of the mesh.",
      ),
    caCertificates: z.string().optional().describe("File with the authorities to trust; the machine's own when unset."),
    subjectAltNames: z
      .array(z.string().min(1))
      .optional()
      .describe(
        "Names of which the certificate must carry one; the service's host when unset, with ISTIO_MUTUAL its workloads' identities.",
      ),
    sni: text(sniError).optional().describe("Server name to ask for; the service's host when unset."),
    insecureSkipVerify: orNull(z.boolean()).describe("Takes any certificate of any name."),
    clientCertificate: z.string().optional().describe("With MUTUAL: file of the certificate to show, in PEM."),
    privateKey: z.string().optional().describe("With MUTUAL: file of its private key."),
    caCrl: z.string().min(1).optional().describe("File of revoked certificates, in PEM."),
    credentialName: text((value) => {
      const name = value.replace(/^kubernetes:\/\//, "");
      return subdomainError(name) && told("secret-of-client", { value: JSON.stringify(value) });
    })
      .optional()
      .describe(
        "Secret with the authorities to trust (ca.crt, cacert) and, with MUTUAL, the certificate and key to show.",
      ),
  }),
  (tls, report) => {
    const { mode, insecureSkipVerify } = tls;
    if (tls.credentialName !== undefined) {
      for (const key of ["caCertificates", "clientCertificate", "privateKey"] as const) {
        if (tls[key] !== undefined) report([key], told("not-beside", { other: "credentialName" }));
      }
      if (mode === "ISTIO_MUTUAL") report(["credentialName"], told("no-effect-mutual", {}));
    } else if (mode === "MUTUAL") {
      for (const key of ["clientCertificate", "privateKey"] as const) {
        if (tls[key] === undefined)
          report([key], told("required-for-or", { what: "mode: MUTUAL", other: "credentialName" }));
      }
    } else {
      for (const key of ["clientCertificate", "privateKey"] as const) {
        if (tls[key] !== undefined) report([key], told("no-effect-without", { what: "mode: MUTUAL" }));
      }
    }
    if (mode === "ISTIO_MUTUAL") {
      for (const key of ["caCertificates", "insecureSkipVerify"] as const) {
        if (tls[key]) report([key], told("no-effect-mutual", {}));
      }
    } else if (insecureSkipVerify === true) {
      for (const key of ["caCertificates", "subjectAltNames"] as const) {
        if (tls[key] !== undefined) report([key], told("no-effect-with", { what: "insecureSkipVerify: true" }));
      }
    }
  },
);
export type ClientTLSSettings = z.output<typeof tlsSettingsSchema>;

function sniError(name: string): Told | undefined {
  return name.startsWith("*") ? told("one-name", {}) : sniHostError(name);
}
