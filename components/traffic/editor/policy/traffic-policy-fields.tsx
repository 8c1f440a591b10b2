"use client";
import { useTranslations } from "use-intl";
import type { Path } from "../../../config/document/yaml-edit.ts";
import { OtherFields } from "../fields/other-fields.tsx";
import { Section } from "../fields/section.tsx";
import { BreakerFields } from "./breaker-fields.tsx";
import { LoadBalancerFields } from "./load-balancer-fields.tsx";
import { LocalityFields } from "./locality-fields.tsx";
import { OutlierFields } from "./outlier-fields.tsx";
import { PortPolicies } from "./port-policies.tsx";
import { RetryBudgetFields } from "./retry-budget-fields.tsx";
import { TlsFields } from "./tls-fields.tsx";
import { TunnelFields } from "./tunnel-fields.tsx";

const known = [
  "port",
  "loadBalancer",
  "connectionPool",
  "retryBudget",
  "outlierDetection",
  "tls",
  "tunnel",
  "proxyProtocol",
  "portLevelSettings",
];

/** How a host is called: the whole, one subset, or one port of it. `of` tells their sections apart. */
export function TrafficPolicyFields({ path, of }: { path: Path; of: string }) {
  const t = useTranslations("form");
  const locality = [...path, "loadBalancer", "localityLbSetting"];
  const isOfPort = path.includes("portLevelSettings");
  const at = (name: string): Path => [...path, name];
  return (
    <div>
      <Section title={t("load-balancer")} paths={[at("loadBalancer")]} testId={`section-balancer-${of}`}>
        <LoadBalancerFields path={at("loadBalancer")} />
      </Section>
      <Section title={t("locality")} paths={[locality]} testId={`section-locality-${of}`}>
        <LocalityFields path={locality} outlier={at("outlierDetection")} />
      </Section>
      <Section title={t("breaker")} paths={[at("connectionPool")]} testId={`section-breaker-${of}`}>
        <BreakerFields path={at("connectionPool")} of={of} />
      </Section>
      {!isOfPort && <RetryBudgetFields path={at("retryBudget")} of={of} />}
      <Section title={t("outlier")} paths={[at("outlierDetection")]} testId={`section-outlier-${of}`}>
        <OutlierFields path={at("outlierDetection")} />
      </Section>
      <Section title={t("tls")} paths={[at("tls")]} testId={`section-tls-${of}`}>
        <TlsFields path={at("tls")} />
      </Section>
      {!isOfPort && (
        <Section title={t("tunnel")} paths={[at("tunnel"), at("proxyProtocol")]} testId={`section-tunnel-${of}`}>
          <TunnelFields policy={path} />
        </Section>
      )}
      {!isOfPort && (
        <Section title={t("ports")} paths={[at("portLevelSettings")]} testId={`section-ports-${of}`}>
          <PortPolicies path={at("portLevelSettings")} of={of} />
        </Section>
      )}
      <OtherFields path={path} known={known} />
    </div>
  );
}
