import { describe, expect, it } from "vitest";
import { buildMesh } from "../model/mesh.ts";
import { objectsOf, proxyOf, resourcesToJson } from "./testing/cases.ts";
import { translate } from "./translate.ts";

const yaml = `
apiVersion: v1
kind: Service
metadata: { name: db, namespace: default }
spec: { selector: { app: db }, ports: [{ name: tcp, port: 5432 }, { name: http, port: 8080 }] }
---
apiVersion: networking.istio.io/v1
kind: WorkloadEntry
metadata: { name: db-v1, namespace: default }
spec: { address: 127.0.1.5, labels: { app: db } }
`;

const meshConfig = (spec: object): string => `
---
apiVersion: limpid.dev/v1alpha1
kind: MeshConfig
metadata: { name: default }
spec: ${JSON.stringify(spec)}
`;

/** The file logs of every connection manager and TCP proxy of a workload. */
function logsOf(spec: object) {
  const id = "sidecar~127.0.1.5~db-v1.default~default.svc.cluster.local";
  const INGRESS = { "5432": "127.0.0.1:15432", "8080": "127.0.0.1:18080" };
  const proxy = proxyOf({ id, metadata: { INTERCEPTION_MODE: "NONE", LABELS: { app: "db" }, INGRESS } });
  const made = translate(buildMesh(objectsOf(yaml + meshConfig(spec)), 1), proxy);
  const logs: unknown[] = [];
  JSON.stringify(resourcesToJson(made).listeners, (_, value: { "@type"?: string } | undefined) => {
    if (value?.["@type"]?.endsWith("FileAccessLog") === true) logs.push(value);
    return value;
  });
  return logs.map((log) => JSON.stringify(log));
}

describe("access logs in files of the proxies' own", () => {
  it("are none unless asked for", () => {
    expect(logsOf({ accessLogFormat: "x" })).toEqual([]);
  });

  it("are of HTTP and TCP, in and out, in Istio's text unless told otherwise", () => {
    const logs = logsOf({ accessLogFile: "/dev/stdout" });
    // HTTP out, HTTP in, TCP in; the service's TCP port is the workload's own here.
    expect(logs.length).toBeGreaterThanOrEqual(3);
    expect(new Set(logs).size).toBe(1);
    expect(logs[0]).toContain('"path":"/dev/stdout"');
    expect(logs[0]).toContain("%DOWNSTREAM_REMOTE_ADDRESS% %REQUESTED_SERVER_NAME% %ROUTE_NAME%\\n");
  });

  it("take a text, whose line they end, or an object", () => {
    expect(logsOf({ accessLogFile: "/a", accessLogFormat: "%PROTOCOL%" })[0]).toContain(
      '"inlineString":"%PROTOCOL%\\n"',
    );
    expect(
      logsOf({ accessLogFile: "/a", accessLogEncoding: "JSON", accessLogFormat: '{"p":"%PROTOCOL%"}' })[0],
    ).toContain('"jsonFormat":{"p":"%PROTOCOL%"}');
    expect(logsOf({ accessLogFile: "/a", accessLogEncoding: "JSON" })[0]).toContain('"start_time":"%START_TIME%"');
  });
});
