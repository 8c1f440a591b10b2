import { readFileSync } from "node:fs";
import { request as httpRequest } from "node:http";
import { type RequestOptions, request } from "node:https";
import { join } from "node:path";
import { create } from "@bufbuild/protobuf";
import { type ChannelCredentials, credentials, Metadata } from "@grpc/grpc-js";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { authorityFiles } from "../ca/authority-files.ts";
import { openCertificateAuthority } from "../ca/certificate-authority.ts";
import { consoleAuthority, consoleCertificate } from "../ca/console-authority.ts";
import { spiffeIdOf, tempFolder } from "../ca/testing/tls.ts";
import {
  ExportTraceServiceRequestSchema,
  TraceService,
} from "../gen/proto/opentelemetry/proto/collector/trace/v1/trace_service_pb.js";
import { systemClock as clock } from "../lib/clock.ts";
import { makeClient } from "../lib/grpc.ts";
import { silentLogger } from "../lib/logger.ts";
import { MemoryTelemetryStore } from "../store/telemetry/memory-store.ts";
import { type Collector, createCollector } from "./collector.ts";

/** An address of this machine that stands for one that others reach. */
const elsewhere = "127.0.0.2";

describe.skipIf(process.platform !== "linux")("the collector's ports off loopback", () => {
  const cleanUps: (() => unknown)[] = [];
  let collector: Collector;
  let client: { key: string; cert: string };
  let stranger: { key: string; cert: string };
  let ca: string;

  beforeAll(async () => {
    const [data, remove] = await tempFolder();
    cleanUps.push(remove);
    const authority = await openCertificateAuthority(join(data, "ca"), { clock, trustDomain: "cluster.local" });
    const other = await openCertificateAuthority(join(data, "other"), { clock, trustDomain: "cluster.local" });
    const [own, foreign] = await Promise.all(
      [authority, other].map((each) => each.issue({ spiffeUri: spiffeIdOf("a"), ttlSec: 3600 })),
    );
    client = { key: own?.keyPem ?? "", cert: own?.chainPem ?? "" };
    stranger = { key: foreign?.keyPem ?? "", cert: foreign?.chainPem ?? "" };
    const certificate = await consoleCertificate(data, [elsewhere], clock);
    ca = readFileSync(join(data, consoleAuthority, authorityFiles.root), "utf8");
    collector = createCollector({
      store: new MemoryTelemetryStore(),
      ...{ grpcPort: 0, httpPort: 0, zipkinPort: 0, logger: silentLogger },
      traceApi: {
        zipkin: {},
        jaeger: { "/api/services": { GET: () => ({ type: "text/plain", body: "" }) } },
        jaegerPort: 0,
      },
      remote: { addresses: [elsewhere], tls: { ...certificate, clientRoots: authority.rootPem } },
    });
    await collector.start();
    cleanUps.push(() => collector.stop());
  });
  afterAll(async () => {
    for (const cleanUp of cleanUps.toReversed()) await cleanUp();
  });

  const portOf = (name: "grpc" | "http" | "zipkin" | "jaeger") => Number(collector.addresses()[name]?.split(":")[1]);
  const status = (path: string, port: number, options: RequestOptions | undefined) =>
    new Promise<number | undefined>((resolve, reject) => {
      const call = options
        ? request({ host: elsewhere, port, path, rejectUnauthorized: false, ...options })
        : httpRequest({ host: "127.0.0.1", port, path });
      call
        .once("error", reject)
        .once("response", (response) => resolve(response.resume().statusCode))
        .end();
    });

  it("answer HTTP callers that show a certificate of the mesh, and nobody else", async () => {
    const paths = { http: "/healthz", zipkin: "/health", jaeger: "/api/services" } as const;
    for (const [name, path] of Object.entries(paths) as [keyof typeof paths, string][]) {
      expect(await status(path, portOf(name), client), name).toBe(200);
      expect(await status(path, portOf(name), {}), name).toBe(401);
      expect(await status(path, portOf(name), stranger), name).toBe(401);
      expect(await status(path, portOf(name), undefined), `${name} on loopback`).toBe(200);
    }
  });

  it("take gRPC from those alone, too", async () => {
    const call = (channel: ChannelCredentials, host = elsewhere) => {
      const service = makeClient(
        TraceService,
        `${host}:${portOf("grpc")}`,
        {
          "grpc.ssl_target_name_override": "localhost",
        },
        channel,
      );
      return new Promise<string>((resolve) => {
        const deadline = Date.now() + 20_000;
        service.export(create(ExportTraceServiceRequestSchema), new Metadata(), { deadline }, (error) => {
          service.close();
          resolve(error === null ? "taken" : "refused");
        });
      });
    };
    const [key, cert] = [Buffer.from(client.key), Buffer.from(client.cert)];
    expect(await call(credentials.createSsl(Buffer.from(ca), key, cert))).toBe("taken");
    expect(await call(credentials.createSsl(Buffer.from(ca)))).toBe("refused");
    expect(
      await call(credentials.createSsl(Buffer.from(ca), Buffer.from(stranger.key), Buffer.from(stranger.cert))),
    ).toBe("refused");
    expect(await call(credentials.createInsecure())).toBe("refused");
    expect(await call(credentials.createInsecure(), "127.0.0.1")).toBe("taken");
  });
});
