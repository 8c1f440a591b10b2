import { z } from "zod";
import { type Told, told } from "../../contract/told.ts";
import { defineKind } from "./define.ts";
import { duration, tokenError } from "./fields.ts";
import { readJsonWebKeys } from "./json-web-keys.ts";
import { attachment, checkAttachment } from "./policy-target.ts";
import { rule, text } from "./schema.ts";

/** Where the keys of an issuer are. */
function jwksUriError(value: string): Told | undefined {
  const url = URL.parse(value);
  if (url === null || (url.protocol !== "http:" && url.protocol !== "https:")) {
    return told("http-url", { value: JSON.stringify(value) });
  }
  if (url.username !== "" || url.password !== "") return told("url-secret", {});
  return undefined;
}

function jwksError(value: string): Told | Told[] {
  const read = readJsonWebKeys(value);
  if ("error" in read) return read.error;
  return read.keys.flatMap(({ error }) => error ?? []);
}

const headerName = () => text(tokenError);
const named = () => z.array(z.string().min(1)).optional();

/** https://istio.io/latest/docs/reference/config/security/jwt/ */
const jwtRuleSchema = rule(
  z.strictObject({
    issuer: z.string().optional().describe("That the token names (`iss`); unset: any."),
    audiences: named().describe("Of which the token must name one (`aud`); unset: any."),
    jwksUri: text(jwksUriError).optional().describe("Where the proxy itself fetches the issuer's keys."),
    jwks: text(jwksError).optional().describe("The issuer's keys, as a JSON Web Key Set."),
    fromHeaders: z
      .array(z.strictObject({ name: headerName(), prefix: z.string().optional() }))
      .optional()
      .describe("Where the token is looked for; with none of these, in `Authorization: Bearer` and `?access_token=`."),
    fromParams: named().describe("Names of query parameters."),
    fromCookies: named(),
    outputPayloadToHeader: text((value) => (value === "" ? undefined : tokenError(value)))
      .optional()
      .describe("Header in which the application finds the token's payload, in base64url."),
    forwardOriginalToken: z.boolean().optional().describe("The application gets the token too; else it is taken out."),
    outputClaimToHeaders: z
      .array(z.strictObject({ header: headerName(), claim: z.string().min(1) }))
      .optional()
      .describe("Claims of type string, number and boolean, nested ones by their path (`a.b`)."),
    timeout: duration().optional().describe("For fetching the keys; 5s when unset."),
    spaceDelimitedClaims: named().describe("Claims that are lists written as one text, beside scope and permission."),
  }),
  ({ issuer = "", jwks, jwksUri }, report) => {
    if (issuer === "" && jwksUri === undefined) report(["issuer"], told("required-without", { other: "jwksUri" }));
    if (jwks !== undefined && jwksUri !== undefined) report(["jwksUri"], told("not-beside", { other: "jwks" }));
    if (jwks === undefined && jwksUri === undefined) {
      report(["jwksUri"], told("jwks-required", {}));
    }
  },
);

/** https://istio.io/latest/docs/reference/config/security/request_authentication/ */
const requestAuthenticationSpecSchema = rule(
  z.strictObject({
    ...attachment,
    jwtRules: z
      .array(jwtRuleSchema)
      .max(64)
      .optional()
      .describe("A token that any of them is for must be good; a request without a token is let in."),
  }),
  checkAttachment,
);
export type RequestAuthenticationSpec = z.output<typeof requestAuthenticationSpecSchema>;
export type JWTRule = z.output<typeof jwtRuleSchema>;

export const requestAuthentication = defineKind({
  kind: "RequestAuthentication",
  group: "security.istio.io",
  version: "v1",
  aliases: ["v1beta1"],
  plural: "requestauthentications",
  singular: "requestauthentication",
  shortNames: ["ra"],
  categories: ["istio-io", "security-istio-io"],
  spec: requestAuthenticationSpecSchema,
  defaultSpec: {},
  columns: [
    {
      name: "Issuers",
      type: "string",
      description: "Whose tokens are verified",
      priority: 0,
      value: (object) =>
        ((object.spec as RequestAuthenticationSpec).jwtRules ?? []).map(({ issuer }) => issuer || "*").join(","),
    },
  ],
});
