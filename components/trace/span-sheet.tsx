"use client";
import type { ReactNode } from "react";
import { useTranslations } from "use-intl";
import { isClockApart, type Trace, type TraceSpan } from "../../server/contract/index.ts";
import { traceHref } from "../lib/links.ts";
import { TraceLines } from "../logs/trace-lines.tsx";
import { FlagList } from "../mesh-graph/flag-list.tsx";
import { PanelHeader } from "../mesh-graph/panel-header.tsx";
import { Kpi, KpiRow } from "../ui/kpi.tsx";
import { ObjectLink } from "../ui/object-link.tsx";
import { Pairs } from "../ui/pairs.tsx";
import { NumberWithUnit } from "../ui/quantity.tsx";
import { SideSection, SideSheet } from "../ui/side-sheet.tsx";
import { VersionChip } from "../ui/version-chip.tsx";
import { flagsOf } from "./span-flags.ts";
import { SpanLinks } from "./span-links.tsx";
import styles from "./trace.module.css";

const kinds = ["unspecified", "internal", "server", "client", "producer", "consumer"] as const;

/** All that one span told. */
export function SpanSheet({ span, trace, onClose }: { span: TraceSpan; trace: Trace; onClose: () => void }) {
  const t = useTranslations("traces");
  const title = span.missing ? t("missing") : span.service;
  return (
    <SideSheet label={t("span")} onClose={onClose}>
      <PanelHeader
        health={span.error ? "failing" : span.missing ? "idle" : "healthy"}
        title={title}
        hint={span.version && <VersionChip version={span.version} />}
        onClose={onClose}
      />
      {span.missing ? (
        <SideSection>
          <p className="muted">{t("missing-text")}</p>
          <p className="mono">{span.spanId}</p>
        </SideSection>
      ) : (
        <Told span={span} trace={trace} />
      )}
    </SideSheet>
  );
}

function Told({ span, trace }: { span: TraceSpan; trace: Trace }) {
  const t = useTranslations("traces");
  return (
    <>
      <SideSection>
        <p className={styles.operation}>{span.name}</p>
        <KpiRow>
          <Kpi label={t("col-duration")}>
            <NumberWithUnit value={span.durationUs / 1000} kind="ms" />
          </Kpi>
          <Kpi label={t("self")}>
            <NumberWithUnit value={span.selfUs / 1000} kind="ms" />
          </Kpi>
          <Kpi label={t("begins")}>
            <NumberWithUnit value={span.startUs / 1000} kind="ms" />
          </Kpi>
        </KpiRow>
        {span.error && (
          <p className={styles.status} role="status">
            {t("failed")}
            {span.statusMessage && `: ${span.statusMessage}`}
          </p>
        )}
        {isClockApart(span) && (
          <p className={styles.skewed}>
            {t.rich("skew-text", { by: () => <NumberWithUnit value={span.skewUs / 1000} kind="ms" /> })}
          </p>
        )}
      </SideSection>
      <Flags span={span} />
      <SpanLinks span={span} trace={trace} />
      <TraceLines traceId={trace.traceId} spanId={span.spanId} />
      <Facts title={t("attributes")} facts={span.attributes} />
      {span.leftOut && (
        <SideSection>
          <p className="muted">{t("left-out", span.leftOut)}</p>
        </SideSection>
      )}
      {span.events.length > 0 && (
        <SideSection>
          <h2 className={styles.heading}>{t("events")}</h2>
          {span.events.map(({ atUs, name, attributes }) => (
            <div key={`${atUs} ${name}`} className={styles.event}>
              <b>{name}</b> <NumberWithUnit value={atUs / 1000} kind="ms" />
              <Pairs facts={attributes} />
            </div>
          ))}
        </SideSection>
      )}
      {span.links.length > 0 && (
        <SideSection>
          <h2 className={styles.heading}>{t("links")}</h2>
          {span.links.map(({ traceId, spanId, attributes }) => (
            <div key={`${traceId} ${spanId}`} className={styles.event}>
              <ObjectLink className="link mono" href={`${traceHref(traceId)}?span=${spanId}`}>
                {traceId.slice(0, 8)}… {spanId}
              </ObjectLink>
              <Pairs facts={attributes} />
            </div>
          ))}
        </SideSection>
      )}
      <Facts title={t("resource")} facts={span.resource} />
      <Facts
        title={t("identity")}
        facts={{
          "trace.state": span.traceState,
          "span.id": span.spanId,
          "parent.id": span.parentSpanId,
          "span.kind": kinds[span.kind] ?? String(span.kind),
          "otel.scope.name": span.scope.name,
          "otel.scope.version": span.scope.version,
          ...scopeFacts(span.scope.attributes),
        }}
      />
    </>
  );
}

/** Why the proxy of this span did not just pass the request on, in words. */
function Flags({ span }: { span: TraceSpan }) {
  const t = useTranslations("panel");
  const flags = flagsOf(span);
  if (flags.length === 0) return null;
  return (
    <SideSection>
      <h2 className={styles.heading}>{t("flags")}</h2>
      <FlagList flags={flags} />
    </SideSection>
  );
}

type Attributes = TraceSpan["attributes"];

const scopeFacts = (attributes: Attributes = {}): Attributes =>
  Object.fromEntries(Object.entries(attributes).map(([key, value]) => [`otel.scope.${key}`, value]));

function Facts({ title, facts }: { title: ReactNode; facts: Attributes }) {
  if (Object.values(facts).every((value) => value === "")) return null;
  return (
    <SideSection>
      <h2 className={styles.heading}>{title}</h2>
      <Pairs facts={facts} />
    </SideSection>
  );
}
