"use client";
import type { ReactNode } from "react";
import { useLocale, useTranslations } from "use-intl";
import type { LogEntry, LogPeer, ServiceLink } from "../../server/contract/index.ts";
import { requestOfLog } from "../explain/request-of.ts";
import { useCurrentRequest } from "../lib/current-request.ts";
import {
  explainHref,
  logsOfHref,
  logTraceHref,
  proxyHref,
  requestLogsHref,
  ruleHref,
  serviceHref,
} from "../lib/links.ts";
import { FlagList } from "../mesh-graph/flag-list.tsx";
import { grpcName } from "../mesh-graph/flag-words.ts";
import { useExemplars } from "../trace/exemplar-list.tsx";
import { formatBytes, formatMs, quantityText } from "../ui/format.ts";
import { Link } from "../ui/link.tsx";
import { ObjectLink } from "../ui/object-link.tsx";
import { longestWindowSec } from "../ui/time-range.ts";
import { Code, Peer } from "./log-table.tsx";
import { detailsWord, peerFilter } from "./log-words.ts";
import styles from "./logs.module.css";
import { TraceLines } from "./trace-lines.tsx";

/** Every field of one line with what it means, and the ways on: its trace, its rule, its proxies, its services. */
export function LogDetails({ entry }: { entry: LogEntry }) {
  const t = useTranslations("logs");
  const locale = useLocale();
  const { config, protocol } = entry;
  const request = requestOfLog(entry);
  useCurrentRequest(request);
  return (
    <>
      {entry.traceId !== "" && <TraceLines traceId={entry.traceId} />}
      <dl className={styles.details}>
        <Field name="at">
          <time dateTime={new Date(entry.at).toISOString()} className="mono">
            {new Date(entry.at).toISOString()}
          </time>
        </Field>
        <Field name="source">
          <PeerLinks peer={entry.source} end="source" />
        </Field>
        <Field name="destination">
          <PeerLinks peer={entry.destination} end="destination" />
        </Field>
        <Field name="service">
          <ServiceName link={entry.serviceLink} hostname={entry.service} />
        </Field>
        {protocol !== "tcp" && (
          <Field name="request">
            <span className="mono">
              {entry.method} {entry.authority}
              {entry.path}
            </span>
          </Field>
        )}
        {protocol !== "tcp" && (
          <Field name="code">
            <Code entry={{ ...entry, grpcStatus: null }} />
            {entry.grpcStatus !== null && <span className="mono"> · gRPC {grpcName(String(entry.grpcStatus))}</span>}
          </Field>
        )}
        <FlagField flags={entry.flags} />
        <DetailsField details={entry.details} />
        <Field name="rule">
          {config ? (
            <ObjectLink className="link mono" href={ruleHref(config)} data-testid="log-rule">
              {config.kind} {config.namespace}/{config.name} {config.rule}
            </ObjectLink>
          ) : (
            <span className="muted">{t("rule-none")}</span>
          )}
        </Field>
        {request && (
          <Field name="why">
            <Link className="link" href={explainHref(request)} data-testid="log-explain">
              {t("explain")}
            </Link>
          </Field>
        )}
        <Field name="trace">
          {entry.traceId ? <TraceLink id={entry.traceId} /> : <span className="muted">{t("trace-none")}</span>}
        </Field>
        <Field name="proxy">
          <Link className="link mono" href={proxyHref(entry.proxy)} data-testid="log-proxy">
            {entry.proxy}
          </Link>{" "}
          <span className="muted">{t(`direction-${entry.direction}`)}</span>
        </Field>
        <Field name="duration">{quantityText(formatMs(entry.durationMs, locale))}</Field>
        <Field name="bytes">
          {t("bytes", {
            sent: quantityText(formatBytes(entry.requestBytes, locale)),
            received: quantityText(formatBytes(entry.responseBytes, locale)),
          })}
        </Field>
        <Field name="cluster">{entry.upstreamCluster && <span className="mono">{entry.upstreamCluster}</span>}</Field>
        <Field name="host">{entry.upstreamHost && <span className="mono">{entry.upstreamHost}</span>}</Field>
        <Field name="protocol">
          {protocol}
          {entry.mtls !== null && ` · ${t(entry.mtls ? "mtls" : "plain")}`}
        </Field>
        <Field name="request-id">
          {entry.requestId && (
            <Link className="link mono" href={requestLogsHref(entry.requestId)}>
              {entry.requestId}
            </Link>
          )}
        </Field>
      </dl>
    </>
  );
}

type FieldName =
  | "at"
  | "source"
  | "destination"
  | "service"
  | "request"
  | "code"
  | "rule"
  | "why"
  | "trace"
  | "proxy"
  | "duration"
  | "bytes"
  | "cluster"
  | "host"
  | "protocol"
  | "request-id";

/** Nothing where there is no value. */
function Field({ name, children }: { name: FieldName; children: ReactNode }) {
  const t = useTranslations("logs");
  if (!children) return null;
  return (
    <Row name={t(`field-${name}`)}>
      <span>{children}</span>
      <small>{t(`says-${name}`)}</small>
    </Row>
  );
}

const Row = ({ name, children }: { name: string; children: ReactNode }) => (
  <div>
    <dt>{name}</dt>
    <dd>{children}</dd>
  </div>
);

/** To its trace, unless nothing of that is kept: of most requests only the id is known. */
function TraceLink({ id }: { id: string }) {
  const t = useTranslations("logs");
  const kept = useExemplars({ trace: id, window: String(longestWindowSec) }, 10_000).data;
  if (kept && kept.slow.length + kept.failed.length === 0)
    return (
      <span data-testid="log-trace-lost">
        <span className="mono">{id}</span> <span className="muted">{t("trace-lost")}</span>
      </span>
    );
  return (
    <ObjectLink className="link mono" href={logTraceHref(id)} data-testid="log-trace">
      {id}
    </ObjectLink>
  );
}

/** Each flag with its words. */
function FlagField({ flags }: { flags: readonly string[] }) {
  const t = useTranslations("logs");
  const panel = useTranslations("panel");
  if (flags.length === 0) return null;
  return (
    <Row name={panel("flags")}>
      <FlagList flags={flags} />
      <small>{t("says-flags")}</small>
    </Row>
  );
}

/** Envoy's own word for why it answered as it did. */
function DetailsField({ details }: { details: string }) {
  const t = useTranslations("logs");
  if (!details) return null;
  const word = detailsWord(details);
  return (
    <Row name={t("field-details")}>
      <span className="mono">{details}</span>
      <small>{word ? t(`details-${word}`) : t("says-details")}</small>
    </Row>
  );
}

function PeerLinks({ peer, end }: { peer: LogPeer; end: "source" | "destination" }) {
  const t = useTranslations("logs");
  const filter = peerFilter(peer);
  return (
    <>
      {peer.service ? (
        <ObjectLink className="link" href={serviceHref(peer.service)} data-testid={`log-${end}`}>
          <Peer peer={peer} />
        </ObjectLink>
      ) : (
        <Peer peer={peer} />
      )}
      {peer.workload && <span className="muted mono"> {peer.workload}</span>}
      {filter && (
        <>
          {" "}
          <Link className="link" href={logsOfHref({ [end]: filter })}>
            {t("only")}
          </Link>
        </>
      )}
    </>
  );
}

const ServiceName = ({ link, hostname }: { link: ServiceLink | null; hostname: string }) =>
  link ? (
    <ObjectLink className="link mono" href={serviceHref(link)} data-testid="log-service">
      {hostname}
    </ObjectLink>
  ) : (
    <span className="mono">{hostname}</span>
  );
