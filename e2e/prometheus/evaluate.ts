import { bound, type Chosen, type Expression } from "./expressions.ts";
import type { Prometheus } from "./prometheus.ts";

export interface Answer extends Expression {
  answered: boolean;
  /** Why not: metrics that nobody shows, or Prometheus' error. */
  reason: string;
}

/** Whether some choice of a service, or of a workload, gets numbers for each expression. */
export async function evaluate(prometheus: Prometheus, expressions: readonly Expression[]): Promise<Answer[]> {
  const choices = await choicesOf(prometheus);
  const known = await prometheus.metricNames();
  const answers: Answer[] = [];
  for (const expression of expressions) answers.push(await answerOf(prometheus, expression, choices, known));
  return answers;
}

async function choicesOf(prometheus: Prometheus): Promise<Chosen[]> {
  const metrics = ["istio_requests_total", "istio_tcp_sent_bytes_total"];
  const choices: Chosen[] = [];
  for (const metric of metrics) {
    for (const { destination_service: service } of await prometheus.labelValues(metric, ["destination_service"])) {
      if (service) choices.push({ service });
    }
    for (const side of ["destination", "source"]) {
      const [of, within] = [`${side}_workload`, `${side}_workload_namespace`];
      for (const labels of await prometheus.labelValues(metric, [of, within])) {
        const [workload, namespace] = [labels[of], labels[within]];
        if (workload && namespace) choices.push({ workload, namespace });
      }
    }
  }
  return choices;
}

async function answerOf(
  prometheus: Prometheus,
  expression: Expression,
  choices: readonly Chosen[],
  known: ReadonlySet<string>,
): Promise<Answer> {
  const asked = new Set(choices.map((chosen) => bound(expression.text, chosen)));
  let problem = "";
  for (const text of asked) {
    try {
      const samples = await prometheus.query(text);
      if (samples.some(({ value }) => value[1] !== "NaN")) return { ...expression, answered: true, reason: "" };
      if (samples.length > 0) problem = "only NaN";
    } catch (error) {
      problem = error instanceof Error ? error.message : String(error);
    }
  }
  const wanted = metricsIn(expression.text);
  const missing = wanted.filter((name) => !known.has(name));
  // Some expressions name a metric under two names; one of them is enough.
  const reason = missing.length === wanted.length ? `nobody shows ${missing.join(", ")}` : problem || "no sample";
  return { ...expression, answered: false, reason };
}

/** Names before a `{` or a `[`, or alone within a call; functions, labels and keywords are none. */
const metricsIn = (text: string): string[] =>
  [
    ...new Set(
      [
        ...text
          .replaceAll(/"[^"]*"/g, '""')
          .replaceAll(/\b(?:by|on|without|ignoring)\s*\([^)]*\)/g, " ")
          .matchAll(/\b[a-z][a-z0-9_]*_[a-z0-9_]+\b(?!\s*\(|\s*(?:=|!))/g),
      ].map(([name]) => name),
    ),
  ].filter((name) => !/^(?:histogram_quantile|label_join|label_replace|group_left|group_right|__\w+)$/.test(name));
