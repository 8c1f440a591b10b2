import { request } from "node:http";
import { isAbsolute, join } from "node:path";
import { z } from "zod";
import { readBody } from "../lib/http-body.ts";
import { createHttpClient } from "../lib/http-client.ts";

/** What the supervisor says of its proxies' admin interfaces, see `PartStatus`. */
const Answer = z.object({
  data: z.string(),
  parts: z.array(z.object({ node: z.string().nullable(), admin: z.string().nullable().optional() })),
});

export interface AdminClient {
  /** Undefined: nobody on this machine watches over a proxy of that node id. Rejects where it gives no answer in time. */
  call(node: string, method: "GET" | "POST", path: string): Promise<{ status: number; text: string } | undefined>;
}

/** A proxy of a large mesh has megabytes of counters. */
const maxAnswerBytes = 32 * 1024 * 1024;

/** Asks the admin interfaces of proxies that this machine's supervisor runs: a bundled sidecar's port, an Envoy's Unix socket. */
export function createAdminClient(fleetPort: number, timeoutMs = 5000): AdminClient {
  const supervisor = createHttpClient(`http://127.0.0.1:${fleetPort}`, 2000);
  return {
    async call(node, method, path) {
      const answer = await supervisor.call("GET", "/v1/status").catch(() => undefined);
      if (answer === undefined) return undefined;
      const { data, parts } = Answer.parse(JSON.parse(answer.text));
      const admin = parts.find((part) => part.node === node)?.admin;
      return admin ? ask(admin, data, method, path, timeoutMs) : undefined;
    },
  };
}

function ask(
  admin: string,
  data: string,
  method: string,
  path: string,
  timeoutMs: number,
): Promise<{ status: number; text: string }> {
  const [, socket] = /^unix:(.*)$/.exec(admin) ?? [];
  const place =
    socket === undefined
      ? { host: admin.slice(0, admin.lastIndexOf(":")), port: Number(admin.slice(admin.lastIndexOf(":") + 1)) }
      : { socketPath: isAbsolute(socket) ? socket : join(data, socket) };
  return new Promise((resolve, reject) => {
    const call = request({ ...place, method, path, headers: { "content-length": "0" } }, (response) => {
      const tooLarge = () => new Error(`its answer is larger than ${maxAnswerBytes} bytes`);
      readBody(response, maxAnswerBytes, tooLarge).then(
        (body) => resolve({ status: response.statusCode ?? 0, text: body.toString("utf8") }),
        reject,
      );
    });
    call.setTimeout(timeoutMs, () => call.destroy(new Error(`no answer within ${timeoutMs} ms`)));
    call.once("error", reject);
    call.end();
  });
}
