import { create } from "@bufbuild/protobuf";
import { status } from "@grpc/grpc-js";
import {
  Health,
  type HealthCheckResponse,
  HealthCheckResponseSchema,
  HealthCheckResponse_ServingStatus as Serving,
} from "../gen/proto/grpc/health/v1/health_pb.js";
import { addService, type ServiceHost, type WritingCall } from "../lib/grpc.ts";

export interface HealthService {
  /** Tells every watcher; all services of the server share one state. */
  set(serving: boolean): void;
}

/** More than this many watchers at a time are turned away: nobody needs them. */
const maxWatchers = 200;

/**
 * Whether the server, and each of its services by name, can do its work. `services` are asked for once, when the first question comes.
 * https://github.com/grpc/grpc/blob/master/doc/health-checking.md
 */
export function addHealth(server: ServiceHost, services: readonly string[], serving = false): HealthService {
  const names = new Set(["", ...services]);
  const watchers = new Map<WritingCall<HealthCheckResponse>, string>();
  let state = serving;
  const statusOf = (name: string) =>
    create(HealthCheckResponseSchema, {
      status: !names.has(name) ? Serving.SERVICE_UNKNOWN : state ? Serving.SERVING : Serving.NOT_SERVING,
    });
  addService(server, Health, {
    check({ request }, callback) {
      if (names.has(request.service)) callback(null, statusOf(request.service));
      else callback({ code: status.NOT_FOUND, details: `there is no service ${JSON.stringify(request.service)} here` });
    },
    watch(call) {
      if (watchers.size >= maxWatchers) {
        call.emit("error", { code: status.RESOURCE_EXHAUSTED, details: "too many watch" });
        return;
      }
      watchers.set(call, call.request.service);
      for (const event of ["cancelled", "close", "error"]) call.on(event, () => watchers.delete(call));
      call.write(statusOf(call.request.service));
    },
  });
  return {
    set(next) {
      if (next === state) return;
      state = next;
      for (const [call, name] of watchers) if (names.has(name)) call.write(statusOf(name));
    },
  };
}
