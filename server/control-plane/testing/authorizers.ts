import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { create } from "@bufbuild/protobuf";
import { Server, ServerCredentials, status } from "@grpc/grpc-js";
import {
  Authorization,
  type CheckRequest,
  CheckResponseSchema,
} from "../../gen/proto/envoy/service/auth/v3/external_auth_pb.js";
import { StatusCode } from "../../gen/proto/envoy/type/v3/http_status_pb.js";
import { addService } from "../../lib/grpc.ts";
import type { Closers, SeenRequest } from "./scenario.ts";

/** Lets in who says `x-let-in: yes`, and remembers what it was asked. */
export async function startHttpAuthorizer(closers: Closers) {
  const asked: (SeenRequest & { body: string })[] = [];
  const server = createServer(async (incoming, response) => {
    let body = "";
    for await (const chunk of incoming) body += chunk;
    asked.push({ method: incoming.method ?? "", path: incoming.url ?? "", headers: incoming.headers, body });
    const isLetIn = incoming.headers["x-let-in"] === "yes";
    response.writeHead(isLetIn ? 200 : 402, { "x-user": "asked", "x-reason": "because", "x-hidden": "1" });
    response.end(isLetIn ? "" : "pay first");
  });
  await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
  closers.push(() => {
    server.closeAllConnections();
    server.close();
  });
  return { port: (server.address() as AddressInfo).port, asked };
}

/** The same over gRPC; connections, which say nothing, it lets in while `letsConnectionsIn`. */
export async function startGrpcAuthorizer(closers: Closers) {
  const asked: CheckRequest[] = [];
  const state = { letsConnectionsIn: true };
  const server = new Server();
  addService(server, Authorization, {
    check(call, callback) {
      asked.push(call.request);
      const http = call.request.attributes?.request?.http;
      const isLetIn = http ? http.headers["x-let-in"] === "yes" : state.letsConnectionsIn;
      const header = (key: string, value: string) => ({ header: { key, value } });
      const allowed = { headers: [header("x-user", "asked-by-grpc")], headersToRemove: ["x-secret"] };
      const denied = {
        status: { code: StatusCode.PaymentRequired },
        body: "pay first",
        headers: [header("x-reason", "b")],
      };
      callback(
        null,
        create(CheckResponseSchema, {
          status: { code: isLetIn ? status.OK : status.PERMISSION_DENIED },
          httpResponse: isLetIn ? { case: "okResponse", value: allowed } : { case: "deniedResponse", value: denied },
        }),
      );
    },
  });
  const port = await new Promise<number>((done, fail) =>
    server.bindAsync("127.0.0.1:0", ServerCredentials.createInsecure(), (error, bound) =>
      error ? fail(error) : done(bound),
    ),
  );
  closers.push(() => server.forceShutdown());
  return { port, asked, state };
}
