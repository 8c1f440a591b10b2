"use client";
import { useTranslations } from "use-intl";
import { LogPage, type Trace, type TraceSpan } from "../../server/contract/index.ts";
import { requestOfSpan } from "../explain/request-of.ts";
import { getJson } from "../lib/api.ts";
import { useCurrentRequest } from "../lib/current-request.ts";
import { explainHref, proxyHref, ruleHref, traceLogsHref } from "../lib/links.ts";
import { useLive } from "../lib/live.ts";
import { Link } from "../ui/link.tsx";
import { ObjectLink } from "../ui/object-link.tsx";
import { SideSection } from "../ui/side-sheet.tsx";
import { longestWindowSec } from "../ui/time-range.ts";
import { lineOfSpan } from "./line-of-span.ts";
import styles from "./trace.module.css";

/** From a span to what it is about: why it went this way, the rule, the proxy that told it, its line in the logs. */
export function SpanLinks({ span, trace }: { span: TraceSpan; trace: Trace }) {
  const t = useTranslations("traces");
  const request = requestOfSpan(span, trace.tree);
  useCurrentRequest(request);
  const line = useLineOf(span, trace);
  const node = span.attributes.node_id;
  const proxy = span.proxy && typeof node === "string" ? node : undefined;
  if (!request && !proxy) return null;
  return (
    <SideSection>
      <ul className={styles.ways}>
        {request && (
          <li>
            <Link className="link" href={explainHref(request)} data-testid="span-explain">
              {t("explain")}
            </Link>
          </li>
        )}
        {line?.config && (
          <li>
            <ObjectLink className="link mono" href={ruleHref(line.config)} data-testid="span-rule">
              {line.config.kind} {line.config.namespace}/{line.config.name} {line.config.rule}
            </ObjectLink>
          </li>
        )}
        {line && (
          <li>
            <Link className="link" href={`${traceLogsHref(trace.traceId)}&open=${line.id}`} data-testid="span-line">
              {t("its-line")}
            </Link>
          </li>
        )}
        {proxy && (
          <li>
            <Link className="link mono" href={proxyHref(proxy)} data-testid="span-proxy">
              {proxy}
            </Link>
          </li>
        )}
      </ul>
    </SideSection>
  );
}

function useLineOf(span: TraceSpan, { traceId }: Trace) {
  const query = new URLSearchParams({ trace: traceId, window: String(longestWindowSec), limit: "500" });
  const { data } = useLive({
    queryKey: ["logs-of-trace", traceId],
    read: (signal) => getJson(LogPage, `/api/logs?${query}`, signal),
    everyMs: 10_000,
    enabled: span.proxy,
  });
  return data && lineOfSpan(span, data.entries);
}
