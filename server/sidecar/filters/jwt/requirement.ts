import type {
  JwtProvider,
  JwtRequirement,
} from "../../../gen/proto/envoy/extensions/filters/http/jwt_authn/v3/config_pb.js";
import type { Recent } from "../../../lib/recent.ts";
import { at, each } from "../../config/problems.ts";
import type { RequestContext } from "../../request/filter.ts";
import { audienceTest } from "./audiences.ts";
import { judgeClaims } from "./claim-tests.ts";
import { type Found, Locations } from "./locations.ts";
import { handOn, type Notes, type Provider } from "./provider.ts";
import { type JwtStatus, statusCode, statusTexts } from "./status.ts";
import { parseToken, type Token } from "./token.ts";

const maxReadLength = 4096;

/** A request whose tokens are looked at. */
export interface Pass extends Notes {
  readonly request: RequestContext;
  /** Unix seconds. */
  readonly nowSec: number;
  /** Nobody waits for the verdict any more. */
  over: boolean;
}

/** Whether a request has the tokens that it should, in which case they are handed on: `ok`, or what is wrong. */
export type Requirement = (pass: Pass) => Promise<JwtStatus>;

export interface Providers {
  readonly byName: ReadonlyMap<string, Provider>;
  /** In the order of the config. */
  readonly configs: readonly JwtProvider[];
  readonly onCache: (hit: boolean) => void;
  /** Tokens that were good lately, taken apart. That they still are is asked anew. */
  readonly read: Recent<Token>;
  /** Whose words a missing token is noted in: those of the only one (Envoy). */
  readonly single: Provider | undefined;
}

/** Throws an Error naming the fields. */
export function compileRequirement({ requiresType: kind }: JwtRequirement, providers: Providers): Requirement {
  switch (kind.case) {
    case "providerName":
      return at("provider_name", () => byProvider(kind.value, undefined, providers));
    case "providerAndAudiences": {
      const { providerName, audiences } = kind.value;
      const isForUs = audiences.length === 0 ? undefined : audienceTest(audiences);
      return at("provider_and_audiences.provider_name", () => byProvider(providerName, isForUs, providers));
    }
    case "requiresAny":
      return at("requires_any", () => any(kind.value.requirements, providers));
    case "requiresAll":
      return at("requires_all", () => all(kind.value.requirements, providers));
    case "allowMissing":
      return byIssuer("missing", providers);
    case "allowMissingOrFailed":
      return byIssuer("failed", providers);
    default:
      return async () => "ok";
  }
}

function any(requirements: readonly JwtRequirement[], providers: Providers): Requirement {
  const has = (name: string) => requirements.some(({ requiresType }) => requiresType.case === name);
  const [failed, missing] = [has("allowMissingOrFailed"), has("allowMissing")];
  const named = requirements.filter(({ requiresType: { case: kind } }) => !kind?.startsWith("allow"));
  const children = atLeastTwo(requirements, named, providers);
  if (children.length === 0) return byIssuer(failed ? "failed" : "missing", providers);
  return async (pass) => {
    let worst: JwtStatus = "missing";
    for (const child of children) {
      const status = await child(pass);
      if (status === "ok") return status;
      // That a token is not there, or another's, says less than that it is bad.
      if ((status !== "missing" && status !== "unknownIssuer") || worst === "missing") worst = status;
    }
    return failed || (missing && worst === "missing") ? "ok" : worst;
  };
}

function all(requirements: readonly JwtRequirement[], providers: Providers): Requirement {
  const children = atLeastTwo(requirements, requirements, providers);
  return async (pass) => {
    for (const child of children) {
      const status = await child(pass);
      if (status !== "ok") return status;
    }
    return "ok";
  };
}

function atLeastTwo(
  listed: readonly JwtRequirement[],
  used: readonly JwtRequirement[],
  providers: Providers,
): Requirement[] {
  if (listed.length < 2) throw new Error("requirements: at least two are required");
  return each(
    "requirements",
    used,
    (child) => compileRequirement(child, providers),
    (child) => listed.indexOf(child),
  );
}

/** A provider's token, at the provider's places. */
function byProvider(name: string, isForUs: Provider["isForUs"] | undefined, providers: Providers): Requirement {
  const provider = providers.byName.get(name);
  if (provider === undefined) throw new Error(`${JSON.stringify(name)} is none of the providers`);
  const locations = new Locations([provider.config]);
  return async (pass) => {
    locations.sanitize(pass.request);
    const found = locations.find(pass.request);
    if (found.length === 0) return failed("missing", providers.single, pass);
    // All of them are looked at: what is behind us may take a bad one for the good one (Envoy).
    for (const token of found.reverse()) {
      const status = await check(token, () => provider, isForUs, providers, pass);
      if (status !== "ok") return failed(status, provider, pass);
    }
    return "ok";
  };
}

/** Tokens of anybody, wherever they stand; each is judged by the provider of its issuer. */
function byIssuer(allowed: "missing" | "failed", providers: Providers): Requirement {
  const locations = new Locations(providers.configs);
  const all = [...providers.byName.values()];
  const ofIssuer = (issuer: string) =>
    all.find(({ config }) => config.issuer === issuer) ?? all.find(({ config }) => config.issuer === "");
  return async (pass) => {
    locations.sanitize(pass.request);
    const found = locations.find(pass.request);
    if (found.length === 0) {
      failed("missing", providers.single, pass);
      return "ok";
    }
    let last: JwtStatus = "ok";
    let provider: Provider | undefined;
    for (const token of found.reverse()) {
      const pick = (issuer: string) => {
        provider = ofIssuer(issuer);
        return provider;
      };
      last = await check(token, pick, undefined, providers, pass);
      if (last !== "ok") failed(last, provider ?? providers.single, pass);
    }
    return allowed === "failed" ? "ok" : last;
  };
}

/** Notes a status where the provider says so. @returns it */
function failed(status: JwtStatus, provider: Provider | undefined, pass: Pass): JwtStatus {
  const key = provider?.config.failedStatusInMetadata ?? "";
  if (key !== "") pass.metadata[key] = { code: statusCode(status), message: statusTexts[status] };
  return status;
}

async function check(
  found: Found,
  providerOf: (issuer: string) => Provider | undefined,
  isForUs: Provider["isForUs"] | undefined,
  providers: Providers,
  pass: Pass,
): Promise<JwtStatus> {
  const token = providers.read.get(found.text) ?? parseToken(found.text);
  if (typeof token === "string") return token;
  if (!found.allows(token.issuer)) return "unknownIssuer";
  const provider = providerOf(token.issuer);
  if (provider === undefined) return "unknownIssuer";
  const judged = judgeClaims(provider, token, pass.nowSec, isForUs ?? provider.isForUs);
  if (judged !== "ok") return judged;
  const keys = await provider.keys();
  if (typeof keys === "string") return keys;
  const proven = keys.hasProven(token);
  providers.onCache(proven);
  const status = proven ? "ok" : await keys.verify(token);
  // To take a token apart costs more than all that is asked of it.
  if (status === "ok" && found.text.length <= maxReadLength) providers.read.set(found.text, token);
  if (status === "ok" && !pass.over) handOn(provider, token, found, pass.request, pass);
  return status;
}
