import { type Notice, noticeText } from "../contract/index.ts";

/** What a receiver is sent. `page`: where people look closer. */
export function payloadOf(
  kind: "webhook" | "slack",
  notice: Notice,
  phase: "fired" | "cleared",
  page: string,
): unknown {
  return kind === "slack" ? slack(notice, phase, page) : alertmanager(notice, phase, page);
}

const ends = { recovered: "is well again", gone: "is gone", "rule-gone": "is not asked for any more" } as const;

/** https://api.slack.com/messaging/webhooks; Mattermost and Rocket.Chat take the same. */
function slack(notice: Notice, phase: "fired" | "cleared", page: string): unknown {
  const { subject, severity, rule, firedAt, clearedAt, end } = notice;
  if (phase === "fired") return { text: `*${severity}* ${escaped(noticeText(notice))} · <${page}|${escaped(rule)}>` };
  const lasted = Math.round(((clearedAt ?? firedAt) - firedAt) / 1000);
  const said = `${subject.namespace}/${subject.name} ${ends[end ?? "recovered"]}`;
  return {
    text: `*Cleared* ${escaped(said)} after ${lasted} s (${escaped(noticeText(notice))}) · <${page}|${escaped(rule)}>`,
  };
}

/** https://api.slack.com/reference/surfaces/formatting#escaping */
const escaped = (text: string): string => text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");

/** Version 4 of https://prometheus.io/docs/alerting/latest/configuration/#webhook_config, which many tools receive. */
function alertmanager(notice: Notice, phase: "fired" | "cleared", page: string): unknown {
  const { id, rule, severity, subject, measure, value, limit, firedAt, clearedAt, end } = notice;
  const labels = {
    ...{
      alertname: rule,
      severity: severity.toLowerCase(),
      namespace: subject.namespace,
      [subject.kind]: subject.name,
    },
    measure,
  };
  const annotations = {
    ...{ summary: noticeText(notice), value: String(value), limit: String(limit) },
    ...(end && { end: ends[end] }),
  };
  const status = phase === "fired" ? "firing" : "resolved";
  return {
    ...{ version: "4", groupKey: `limpid/${id}`, truncatedAlerts: 0, status, receiver: "limpid", externalURL: page },
    ...{ groupLabels: { alertname: rule }, commonLabels: labels, commonAnnotations: annotations },
    alerts: [
      {
        ...{ status, labels, annotations, generatorURL: page, fingerprint: id.replaceAll("-", "").slice(0, 16) },
        startsAt: new Date(firedAt).toISOString(),
        // Alertmanager's zero time: it is not over.
        endsAt: phase === "fired" || clearedAt === null ? "0001-01-01T00:00:00Z" : new Date(clearedAt).toISOString(),
      },
    ],
  };
}
