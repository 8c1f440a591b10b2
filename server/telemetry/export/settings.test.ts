import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { exportSignals, parseExport } from "./settings.ts";

const prefixed = (variables: Record<string, string>) =>
  parseExport(
    Object.fromEntries(Object.entries(variables).map(([name, value]) => [`LIMPID_EXPORTER_OTLP_${name}`, value])),
  );

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "limpid-export-"));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe("parseExport", () => {
  it("passes nothing on without an endpoint, whatever OpenTelemetry's own variables say", () => {
    expect(parseExport({ OTEL_EXPORTER_OTLP_ENDPOINT: "http://127.0.0.1:4317" })).toEqual({});
    expect(prefixed({ PROTOCOL: "grpc" })).toEqual({});
  });

  it("takes one endpoint for all signals, with gRPC and gzip by default", () => {
    const settings = prefixed({ ENDPOINT: "http://tempo:4317" });
    for (const signal of exportSignals) {
      expect(settings[signal]).toMatchObject({ protocol: "grpc", gzip: true, timeoutMs: 10_000, headers: {}, tls: {} });
      expect(settings[signal]?.url.href).toBe("http://tempo:4317/");
    }
  });

  it("appends the signal's path to a common endpoint, and leaves a signal's own as it is", () => {
    const settings = prefixed({
      ENDPOINT: "https://otlp.example.com/tenant/",
      PROTOCOL: "http/protobuf",
      LOGS_ENDPOINT: "https://loki.example.com/otlp/v1/logs",
      METRICS_ENDPOINT: "none",
      COMPRESSION: "none",
      TRACES_TIMEOUT: "2500",
    });
    expect(settings.traces?.url.href).toBe("https://otlp.example.com/tenant/v1/traces");
    expect(settings.logs?.url.href).toBe("https://loki.example.com/otlp/v1/logs");
    expect(settings.metrics).toBeUndefined();
    expect(settings.traces).toMatchObject({ gzip: false, timeoutMs: 2500 });
    expect(settings.logs?.timeoutMs).toBe(10_000);
  });

  it("reads headers from a variable and from a file", () => {
    const file = join(folder, "headers");
    writeFileSync(file, "authorization=Bearer%20s3cret\n");
    expect(
      prefixed({ ENDPOINT: "http://a", HEADERS: "X-Tenant=a,b=1%2C2", HEADERS_FILE: file }).traces?.headers,
    ).toEqual({
      authorization: "Bearer s3cret",
      "x-tenant": "a",
      b: "1,2",
    });
  });

  it("says all that is wrong, and no secret of it", () => {
    const wrong = {
      ENDPOINT: "http://a",
      TRACES_ENDPOINT: "https://user:s3cret@b",
      LOGS_ENDPOINT: "s3cret@c",
      PROTOCOL: "http/json",
      COMPRESSION: "br",
      TIMEOUT: "0",
      HEADERS: "s3cret",
      CERTIFICATE: join(folder, "missing.pem"),
      CLIENT_KEY: join(folder, "missing.pem"),
    };
    expect(() => prefixed(wrong)).toThrow(Error);
    try {
      prefixed(wrong);
    } catch (error) {
      const { message } = error as Error;
      for (const text of [
        "LIMPID_EXPORTER_OTLP_TRACES_ENDPOINT: must not hold a password",
        "LIMPID_EXPORTER_OTLP_LOGS_ENDPOINT=…: must be a URL",
        "LIMPID_EXPORTER_OTLP_PROTOCOL=http/json: must be grpc or http/protobuf",
        "LIMPID_EXPORTER_OTLP_COMPRESSION=br: must be gzip or none",
        "LIMPID_EXPORTER_OTLP_TIMEOUT=0: must be milliseconds from 1 to 300000",
        "LIMPID_EXPORTER_OTLP_HEADERS: every header must be name=value",
        "can't be read (ENOENT)",
        "must both be given, or neither",
      ]) {
        expect(message).toContain(text);
      }
      expect(message).not.toContain("s3cret");
    }
  });
});
