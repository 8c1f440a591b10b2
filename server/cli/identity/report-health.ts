import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { create, fromJson, type JsonValue } from "@bufbuild/protobuf";
import { certificatePaths } from "../../ca/write-certificate.ts";
import { NodeSchema } from "../../gen/proto/envoy/config/core/v3/base_pb.js";
import { systemClock as clock } from "../../lib/clock.ts";
import { silentLogger } from "../../lib/logger.ts";
import { controlPlaneChannel, controlPlaneCredentials } from "../../sdk/request-certificate.ts";
import { ask } from "../../sidecar/probe/ask.ts";
import { readProbe } from "../../sidecar/probe/read-probe.ts";
import { ReadinessProbe } from "../../sidecar/probe/readiness-probe.ts";
import { createAdsClient } from "../../xds/client/ads-client.ts";
import { CliError, type CliIo } from "../config/io.ts";

/**
 * Probes the workload whose bootstrap is in a folder, and tells the control plane for its proxy: an Envoy knows of no such probe. Throws where the bootstrap
 * has none. @returns ends it
 */
export function reportHealth(folder: string, at: { host: string; port: number }, io: CliIo): () => void {
  const path = join(folder, "bootstrap.json");
  const probe = existsSync(path) ? readBootstrap(path) : undefined;
  if (probe === undefined)
    throw new CliError(`error: ${path} has no probe: the workload is of no WorkloadGroup that has one`);
  const client = createAdsClient({
    target: `${at.host}:${at.port}`,
    credentials: () => credentialsIn(folder),
    channelOptions: controlPlaneChannel,
    node: probe.node,
    logger: silentLogger,
    clock,
    handlers: {},
  });
  const { method, schedule, timeoutMs } = probe.found;
  const readiness = new ReadinessProbe({
    clock,
    schedule,
    ask: () => ask(method, timeoutMs),
    onChange(problem) {
      io.out(`${problem === undefined ? "the workload is well" : `the workload is not well: ${problem}`}\n`);
      client.reportHealth(problem);
    },
  });
  client.start();
  readiness.start();
  return () => {
    readiness.stop();
    client.stop();
  };
}

/** Its node says that it is no proxy, and speaks for one. */
function readBootstrap(path: string) {
  const { node: json } = JSON.parse(readFileSync(path, "utf8")) as { node: JsonValue };
  const node = fromJson(NodeSchema, json);
  const found = readProbe(node);
  const metadata = { ...node.metadata, HEALTH_REPORTER: "true" };
  return found && { found, node: create(NodeSchema, { ...node, metadata, userAgentName: "limpid-join" }) };
}

function credentialsIn(folder: string) {
  const { key, certificateChain } = certificatePaths(folder);
  const [keyPem, chainPem, rootPem] = [key, certificateChain, join(folder, "root-cert.pem")].map((path) =>
    readFileSync(path, "utf8"),
  );
  return controlPlaneCredentials(rootPem ?? "", { keyPem: keyPem ?? "", chainPem: chainPem ?? "" });
}
