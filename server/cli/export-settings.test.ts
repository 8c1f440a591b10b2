import { expect, it } from "vitest";
import { meshPorts } from "../fleet/ports.ts";
import { exportSettings } from "./export-settings.ts";

it("takes a backend by a flag before its variable, and refuses to send to itself", () => {
  const env = {
    LIMPID_EXPORTER_OTLP_ENDPOINT: "http://tempo:4317",
    LIMPID_EXPORTER_OTLP_LOGS_ENDPOINT: "http://loki:4317",
  };
  const ports = meshPorts(100);
  expect(exportSettings(undefined, env, ports).traces?.url.host).toBe("tempo:4317");
  const settings = exportSettings("http://127.0.0.1:4317", env, ports);
  expect([settings.traces?.url.host, settings.logs?.url.host]).toEqual(["127.0.0.1:4317", "loki:4317"]);
  for (const own of ["http://127.0.0.1:4417", "http://localhost:4418", "http://[::1]:4417"]) {
    expect(() => exportSettings(own, {}, ports)).toThrow(`would be exported from the collector to itself (${own})`);
  }
});
