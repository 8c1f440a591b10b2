import { expect, it } from "vitest";
import { parse } from "yaml";
import { prometheusConfig } from "./prometheus-config.ts";

it("names every place that shows metrics, with the offset, and counts no request twice", () => {
  const { scrape_configs: jobs } = parse(prometheusConfig(1000));
  const targets = Object.fromEntries(
    jobs.map((job: { job_name: string; static_configs?: [{ targets: string[] }] }) => [
      job.job_name,
      job.static_configs?.[0].targets,
    ]),
  );
  expect(targets).toMatchObject({
    mesh: ["127.0.0.1:5318"],
    istiod: ["127.0.0.1:16014"],
    cadvisor: ["127.0.0.1:16080"],
  });
  expect(jobs.at(-1)?.http_sd_configs).toEqual([
    { url: "http://127.0.0.1:16014/limpid/v1/prometheus/targets", refresh_interval: "15s" },
  ]);
  expect(jobs.at(-1)?.metric_relabel_configs).toEqual([
    { source_labels: ["__name__"], regex: "istio_.*", action: "drop" },
    { regex: "envoy_(cluster_name)", action: "labelmap" },
  ]);
});
