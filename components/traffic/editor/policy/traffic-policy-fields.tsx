"use client";
import { useTranslations } from "use-intl";
import type { Path } from "../../../config/document/yaml-edit.ts";
import { Section } from "../fields/section.tsx";
import { BreakerFields } from "./breaker-fields.tsx";
import { LoadBalancerFields } from "./load-balancer-fields.tsx";
import { OutlierFields } from "./outlier-fields.tsx";
import { TlsFields } from "./tls-fields.tsx";

/** How a host is called: of the whole, or of one subset. `of` tells their sections apart. */
export function TrafficPolicyFields({ path, of }: { path: Path; of: string }) {
  const t = useTranslations("form");
  const at = (name: string): Path => [...path, name];
  return (
    <div>
      <Section title={t("load-balancer")} paths={[at("loadBalancer")]} testId={`section-balancer-${of}`}>
        <LoadBalancerFields path={at("loadBalancer")} />
      </Section>
      <Section title={t("breaker")} paths={[at("connectionPool")]} testId={`section-breaker-${of}`}>
        <BreakerFields path={at("connectionPool")} />
      </Section>
      <Section title={t("outlier")} paths={[at("outlierDetection")]} testId={`section-outlier-${of}`}>
        <OutlierFields path={at("outlierDetection")} />
      </Section>
      <Section title={t("tls")} paths={[at("tls")]} testId={`section-tls-${of}`}>
        <TlsFields path={at("tls")} />
      </Section>
    </div>
  );
}
