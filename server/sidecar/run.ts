import { create } from "@bufbuild/protobuf";
import { NodeSchema } from "../gen/proto/envoy/config/core/v3/base_pb.js";
import { formatFieldErrors } from "../lib/result.ts";
import { interpret, readBootstrap, readBootstrapFile, type SidecarBootstrap } from "./bootstrap/read-bootstrap.ts";
import type { EmbeddedSidecar, Embedding, RunningSidecar, SidecarOptions } from "./process/running-sidecar.ts";
import { Sidecar } from "./process/sidecar.ts";

/** Runs one proxy. Rejects with one sentence that names what is wrong with the bootstrap, or the port that is taken. */
export async function runSidecar(options: SidecarOptions): Promise<RunningSidecar> {
  return started(new Sidecar(options, readBootstrap(options.configPath, options)));
}

/** Runs one proxy within an application, by a bootstrap that is no file. Rejects likewise. */
export async function embedSidecar(
  options: Omit<SidecarOptions, "configPath">,
  config: SidecarBootstrap,
  embedding: Embedding,
): Promise<EmbeddedSidecar> {
  return started(new Sidecar({ ...options, configPath: "" }, config, true, embedding));
}

/** All that is wrong with a bootstrap and the resources in it, as `path: what`. Nothing is bound or called. */
export async function validateSidecar(options: SidecarOptions): Promise<string[]> {
  const read = readBootstrapFile(options.configPath, options);
  if (!read.ok) return read.errors.map((error) => formatFieldErrors([error]));
  const bootstrap = read.value;
  const whole = interpret(bootstrap);
  const errors = whole.ok ? [] : whole.errors.map((error) => formatFieldErrors([error]));
  const node = bootstrap.node ?? create(NodeSchema);
  const nobody = {
    admin: undefined,
    ads: undefined,
    loadReports: undefined,
    healthDiscovery: undefined,
    statsSinks: [],
  };
  try {
    const sidecar = new Sidecar(options, { bootstrap, node, ...nobody }, false);
    errors.push(...sidecar.addStatics());
    await sidecar.release();
  } catch (error) {
    errors.push(error instanceof Error ? error.message : String(error));
  }
  return errors;
}

async function started(sidecar: Sidecar): Promise<Sidecar> {
  try {
    await sidecar.start();
  } catch (error) {
    await sidecar.release();
    throw error;
  }
  return sidecar;
}
