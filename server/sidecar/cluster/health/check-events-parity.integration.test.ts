import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { JsonObject } from "@bufbuild/protobuf";
import { afterAll, expect, it } from "vitest";
import { eventually, Fixtures, staticCluster } from "../../test-plane.ts";
import { envoyMissing, RealEnvoy } from "../../testing/real-envoy.ts";
import { wholeLines } from "../../testing/whole-lines.ts";

// Hosts that go through the same, checked by real Envoy and by our data path: what each writes of it into its log.

const fixtures = new Fixtures();
const folder = mkdtempSync(join(tmpdir(), "check-events-"));
afterAll(() => {
  fixtures.close();
  rmSync(folder, { recursive: true, force: true });
});

/** A host that answers checks with one status after the other, and goes on with the last. */
const host = (answers: readonly [number, ...(number | "degraded")[]]) => {
  let asked = 0;
  return fixtures.http((_, response) => {
    const answer = answers[Math.min(asked++, answers.length - 1)];
    response.writeHead(
      answer === "degraded" ? 200 : Number(answer),
      answer === "degraded" ? { "x-envoy-degraded": "1" } : {},
    );
    response.end();
  });
};

const sink = (event_log_path: string): JsonObject => ({
  name: "envoy.health_check.event_sinks.file",
  typed_config: {
    "@type": "type.googleapis.com/envoy.extensions.health_check.event_sinks.file.v3.HealthCheckEventFileSink",
    event_log_path,
  },
});

interface Story {
  readonly port: () => Promise<number>;
  readonly check: JsonObject;
  /** How many lines there are to be. */
  readonly lines: number;
}

const http: JsonObject = { http_health_check: { path: "/" } };
const every: JsonObject = { always_log_health_check_failures: true, always_log_health_check_success: true };

const stories: Record<string, Story> = {
  "one that fails, and is well again": { port: () => host([200, 503, 503, 200, 200]), check: http, lines: 3 },
  "one that is not well from the beginning": { port: () => host([503, 503, 200]), check: http, lines: 2 },
  "one that is degraded for a while": { port: () => host([200, "degraded", "degraded", 200]), check: http, lines: 3 },
  "every result": { port: () => host([200, 200, 503, 503, 200]), check: { ...http, ...every }, lines: 7 },
  "one that nobody is at": {
    port: async () => {
      const gone = new Fixtures();
      const port = await gone.tcp(() => {});
      gone.close();
      return port;
    },
    check: { tcp_health_check: {} },
    lines: 1,
  },
  "one that hangs": {
    port: () => fixtures.tcp(() => {}),
    check: { ...http, timeout: "0.1s", always_log_health_check_failures: true },
    lines: 2,
  },
};

const cluster = (port: number, { check }: Story, path: string): JsonObject =>
  staticCluster("c", [], {
    load_assignment: {
      cluster_name: "c",
      endpoints: [
        {
          locality: { region: "r", zone: "z" },
          lb_endpoints: [
            {
              endpoint: { address: { socket_address: { address: "127.0.0.1", port_value: port } } },
              ...("http_health_check" in check && { metadata: { filter_metadata: { of: { host: "here" } } } }),
            },
          ],
        },
      ],
    },
    health_checks: [
      {
        timeout: "5s",
        interval: "0.05s",
        no_traffic_interval: "0.05s",
        unhealthy_threshold: 2,
        healthy_threshold: 2,
        event_logger: [sink(path)],
        ...check,
      },
    ],
  });

/** Without when it was, and at which port. */
function told(lines: readonly string[], { lines: count }: Story): unknown[] {
  return lines.slice(0, count).map((line) => {
    const { timestamp, ...event } = JSON.parse(line);
    expect(Math.abs(Date.parse(timestamp) - Date.now())).toBeLessThan(120_000);
    event.host.socket_address.port_value = "PORT";
    return event;
  });
}

it.skipIf(envoyMissing).each(Object.keys(stories))("%s", async (name) => {
  const story = stories[name];
  if (story === undefined) throw new Error(name);
  const path = join(folder, `${name}.log`);
  const envoy = await RealEnvoy.start({ clusters: [cluster(await story.port(), story, path)], routes: [] });
  try {
    await eventually(() => wholeLines(path).length >= story.lines);
  } finally {
    envoy.close();
  }
  const lines: string[] = [];
  await fixtures.plane({
    clusters: [cluster(await story.port(), story, "ours")],
    routes: [],
    lines: (to) => (line) => void (to === "ours" && lines.push(line)),
  });
  await eventually(() => lines.length >= story.lines);
  expect(told(lines, story)).toEqual(told(wholeLines(path), story));
});
