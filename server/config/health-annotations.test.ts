import { expect, test } from "vitest";
import { healthAnnotations } from "./health-annotations.ts";

const read = (rate: string | undefined, latency?: string) =>
  healthAnnotations({
    ...(rate !== undefined && { "health.kiali.io/rate": rate }),
    ...(latency !== undefined && { "health.limpid.dev/latency-p95": latency }),
  });

test.each([
  ["5XX,1,5,http,inbound", { errors: { degraded: 0.01, failing: 0.05 } }],
  [
    "4XX,30,40,http,inbound;5XX,10,20,http,inbound",
    { clientErrors: { degraded: 0.3, failing: 0.4 }, errors: { degraded: 0.1, failing: 0.2 } },
  ],
  ["^5\\d\\d$,0.1,10%", { errors: { degraded: 0.001, failing: 0.1 } }],
  ["5XX,1,5;5XX,2,6", { errors: { degraded: 0.01, failing: 0.05 } }],
  ["5XX,1,5,http,outbound;5XX,1,5,grpc", {}],
])("Kiali's %s", (rate, thresholds) => {
  expect(read(rate)).toEqual({ thresholds, problems: [] });
});

test("a latency of our own", () => {
  expect(read(undefined, "500ms, 2s").thresholds).toEqual({ latencyMsP95: { degraded: 500, failing: 2000 } });
  expect(healthAnnotations(undefined)).toEqual({ thresholds: {}, problems: [] });
});

test("what can't be followed is said, and the rest is", () => {
  const { thresholds, problems } = read("404,1,5;5XX,many,5;4XX,20,30", "2s,1s");
  expect(thresholds).toEqual({ clientErrors: { degraded: 0.2, failing: 0.3 } });
  expect(problems.map(({ annotation, message }) => `${annotation}: ${message}`)).toEqual([
    'health.kiali.io/rate: "404,1,5" is for single codes: only all of 5XX and all of 4XX can have thresholds',
    'health.kiali.io/rate: "5XX,many,5" must be <code>,<degraded %>,<failing %>[,<protocol>[,<direction>]], such as 5XX,1,5,http,inbound',
    'health.limpid.dev/latency-p95: "2s,1s" must be two durations, the first no longer than the second, such as 500ms,2s',
  ]);
});
