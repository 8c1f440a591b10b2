import { create, createFileRegistry, fromBinary } from "@bufbuild/protobuf";
import { FileDescriptorProtoSchema, FileDescriptorSetSchema } from "@bufbuild/protobuf/wkt";
import { Metadata, type ServiceError, status } from "@grpc/grpc-js";
import { afterEach, expect, test, vi } from "vitest";
import {
  Health,
  HealthCheckRequestSchema,
  type HealthCheckResponse,
  HealthCheckResponse_ServingStatus as Serving,
} from "../gen/proto/grpc/health/v1/health_pb.js";
import {
  ServerReflection,
  ServerReflectionRequestSchema,
  type ServerReflectionResponse,
} from "../gen/proto/grpc/reflection/v1/reflection_pb.js";
import {
  ServerReflectionRequestSchema as AlphaRequestSchema,
  ServerReflection as ServerReflectionAlpha,
} from "../gen/proto/grpc/reflection/v1alpha/reflection_pb.js";
import { systemClock } from "../lib/clock.ts";
import { makeClient } from "../lib/grpc.ts";
import { silentLogger } from "../lib/logger.ts";
import { createXdsServer } from "./ads-server.ts";

const closers: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close();
});

async function serve() {
  const events = { connected: () => undefined, disconnected: () => undefined };
  const server = createXdsServer({ port: 0, clock: systemClock, logger: silentLogger, events });
  const target = `127.0.0.1:${await server.start()}`;
  closers.push(() => server.stop(100));
  return { server, target };
}

test("health is of the server and of each service, and watchers hear of its end", async () => {
  const { server, target } = await serve();
  const client = makeClient(Health, target);
  closers.push(() => client.close());
  const check = (service: string) =>
    new Promise<HealthCheckResponse | ServiceError | null | undefined>((resolve) =>
      client.check(create(HealthCheckRequestSchema, { service }), new Metadata(), {}, (error, answer) =>
        resolve(error ?? answer),
      ),
    );
  for (const service of ["", "envoy.service.discovery.v3.AggregatedDiscoveryService"]) {
    expect(await check(service)).toMatchObject({ status: Serving.SERVING });
  }
  expect(await check("nobody")).toMatchObject({ code: status.NOT_FOUND });
  const seen: Serving[] = [];
  const watch = client.watch(create(HealthCheckRequestSchema, { service: "" }));
  watch.on("data", (answer: HealthCheckResponse) => seen.push(answer.status));
  watch.on("error", () => undefined);
  await vi.waitFor(() => expect(seen).toEqual([Serving.SERVING]));
  await server.stop(200);
  expect(seen).toEqual([Serving.SERVING, Serving.NOT_SERVING]);
});

test.each([
  ["v1", ServerReflection, ServerReflectionRequestSchema],
  [
    "v1alpha",
    ServerReflectionAlpha as unknown as typeof ServerReflection,
    AlphaRequestSchema as unknown as typeof ServerReflectionRequestSchema,
  ],
])("reflection %s lists services, and gives files from which a client can work", async (_, service, schema) => {
  const { target } = await serve();
  const client = makeClient(service, target);
  closers.push(() => client.close());
  const stream = client.serverReflectionInfo();
  closers.push(() => stream.cancel());
  stream.on("error", () => undefined);
  type Asked = NonNullable<Parameters<typeof create<typeof ServerReflectionRequestSchema>>[1]>["messageRequest"];
  const ask = (messageRequest: Asked) =>
    new Promise<ServerReflectionResponse["messageResponse"]>((resolve) => {
      stream.once("data", (answer: ServerReflectionResponse) => resolve(answer.messageResponse));
      stream.write(create(schema, { messageRequest }));
    });
  const listed = await ask({ case: "listServices", value: "" });
  const names = listed.case === "listServicesResponse" ? listed.value.service.map(({ name }) => name) : [];
  expect(names).toContain("envoy.service.cluster.v3.ClusterDiscoveryService");
  expect(names).toContain("grpc.reflection.v1.ServerReflection");
  expect(names).toContain("grpc.health.v1.Health");
  const answer = await ask({
    case: "fileContainingSymbol",
    value: "envoy.service.status.v3.ClientStatusDiscoveryService.FetchClientStatus",
  });
  const bytes = answer.case === "fileDescriptorResponse" ? answer.value.fileDescriptorProto : [];
  const file = bytes.map((one) => fromBinary(FileDescriptorProtoSchema, one));
  // Whole: a registry can be built of them alone.
  const registry = createFileRegistry(create(FileDescriptorSetSchema, { file: file.toReversed() }));
  expect(registry.getService("envoy.service.status.v3.ClientStatusDiscoveryService")?.methods).toHaveLength(2);
  expect(registry.getMessage("envoy.config.core.v3.Node")).toBeDefined();
  // What stands in an `Any` of a response, and in an `Any` of that.
  for (const value of [
    "envoy.config.listener.v3.Listener",
    "envoy.extensions.filters.http.header_mutation.v3.HeaderMutation",
  ]) {
    expect(await ask({ case: "fileContainingSymbol", value })).toMatchObject({ case: "fileDescriptorResponse" });
  }
  expect(await ask({ case: "fileContainingSymbol", value: "no.such.Thing" })).toMatchObject({ case: "errorResponse" });
  const first = file[0]?.name ?? "";
  expect(await ask({ case: "fileByFilename", value: first })).toMatchObject({ case: "fileDescriptorResponse" });
});
