import type { RBAC } from "../../gen/proto/envoy/config/rbac/v3/rbac_pb.js";
import { at, together } from "../config/problems.ts";
import type { Stats } from "../stats.ts";
import { compileRbac, type RbacEngine, type RbacVerdict } from "./engine.ts";
import type { RbacSubject } from "./subject.ts";

/** What HTTP's and TCP's filters have in common. */
export interface RbacConfig {
  readonly rules?: RBAC | undefined;
  readonly rulesStatPrefix?: string;
  readonly shadowRules?: RBAC | undefined;
  readonly shadowRulesStatPrefix: string;
}

export interface Judgement {
  /** Undefined: there are no rules in force. */
  readonly verdict: RbacVerdict | undefined;
  /** What is noted of it under the filter's name in dynamic metadata; undefined: nothing. */
  readonly notes: Readonly<Record<string, string>> | undefined;
}

/** Rules in force, which decide, and rules on trial, which only say what they would do. */
export class RbacGuard {
  private readonly rules: RbacEngine | undefined;
  private readonly shadow: RbacEngine | undefined;
  private readonly config: RbacConfig;

  /** Throws an Error naming the fields. */
  constructor(config: RbacConfig) {
    const { rules, shadowRules } = config;
    const compiled = together<Record<"rules" | "shadow", RbacEngine | undefined>>({
      rules: () => rules && at("rules", () => compileRbac(rules)),
      shadow: () => shadowRules && at("shadow_rules", () => compileRbac(shadowRules)),
    });
    this.rules = compiled.rules;
    this.shadow = compiled.shadow;
    this.config = config;
  }

  /** @param prefix of its stats, such as `http.inbound.` */
  judge(subject: RbacSubject, stats: Stats, prefix: string): Judgement {
    const trial = this.shadow?.(subject);
    const verdict = this.rules?.(subject);
    const { shadowRulesStatPrefix, rulesStatPrefix = "" } = this.config;
    const count = (name: string) => stats.counter(`${prefix}rbac.${name}`).inc();
    if (trial !== undefined) count(`${dotted(shadowRulesStatPrefix)}shadow_${trial.allowed ? "allowed" : "denied"}`);
    if (verdict !== undefined) count(`${dotted(rulesStatPrefix)}${verdict.allowed ? "allowed" : "denied"}`);
    return { verdict, notes: trial && notesOf(trial, shadowRulesStatPrefix) };
  }
}

/** Envoy puts a dot behind a prefix of stats that has none; what is noted in metadata has none. */
const dotted = (prefix: string): string => (prefix === "" || prefix.endsWith(".") ? prefix : `${prefix}.`);

const notesOf = ({ allowed, policy }: RbacVerdict, prefix: string): Record<string, string> => ({
  [`${prefix}shadow_engine_result`]: allowed ? "allowed" : "denied",
  ...(policy !== "" && { [`${prefix}shadow_effective_policy_id`]: policy }),
});

/** Envoy's response code details of what was denied. */
export const deniedDetails = ({ policy }: RbacVerdict): string =>
  `rbac_access_denied_matched_policy[${policy === "" ? "none" : policy.replaceAll(/\s/g, "_")}]`;
