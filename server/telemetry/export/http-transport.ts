import { Agent as HttpAgent, request as httpRequest, type IncomingMessage } from "node:http";
import { Agent as HttpsAgent, request as httpsRequest } from "node:https";
import { promisify } from "node:util";
import { gzip } from "node:zlib";
import { readBody } from "../../lib/http-body.ts";
import { type Delivery, type ReadResponse, type Transport, taken } from "./delivery.ts";
import type { ExportTarget } from "./settings.ts";

const packed = promisify(gzip);
const maxAnswerBytes = 1 << 20;

/** OTLP/HTTP with protobuf. https://opentelemetry.io/docs/specs/otlp/#otlphttp */
export function httpTransport(target: ExportTarget, read: ReadResponse): Transport {
  const isTls = target.url.protocol === "https:";
  const call = isTls ? httpsRequest : httpRequest;
  const kept = { keepAlive: true, maxSockets: 1 };
  const agent = isTls ? new HttpsAgent({ ...kept, ...target.tls }) : new HttpAgent(kept);
  const attempt = (body: Uint8Array): Promise<IncomingMessage> =>
    new Promise((resolve, reject) => {
      const headers = {
        ...target.headers,
        "content-type": "application/x-protobuf",
        "content-length": body.byteLength,
        ...(target.gzip && { "content-encoding": "gzip" }),
      };
      const request = call(target.url, { method: "POST", agent, headers }, resolve);
      const timer = setTimeout(() => {
        request.destroy(new Error(`no answer within ${target.timeoutMs} ms`));
      }, target.timeoutMs);
      request.once("close", () => clearTimeout(timer));
      request.once("error", reject);
      request.end(body);
    });
  return {
    async send(bytes) {
      try {
        const answer = await attempt(target.gzip ? await packed(bytes) : bytes);
        const body = await readBody(answer, maxAnswerBytes, () => new Error("its answer is too large"));
        return deliveryOf(answer, body, read);
      } catch (error) {
        return { kind: "later", message: error instanceof Error ? error.message : String(error) };
      }
    },
    close: () => agent.destroy(),
  };
}

/** https://opentelemetry.io/docs/specs/otlp/#retryable-response-codes */
const retryable: ReadonlySet<number> = new Set([429, 502, 503, 504]);

function deliveryOf({ statusCode = 0, headers }: IncomingMessage, body: Buffer, read: ReadResponse): Delivery {
  if (statusCode >= 200 && statusCode < 300) return taken(body, read);
  const message = `HTTP ${statusCode}`;
  if (!retryable.has(statusCode)) return { kind: "refused", message };
  const afterMs = retryAfterMs(headers["retry-after"]);
  return { kind: "later", message, ...(afterMs !== undefined && { afterMs }) };
}

/** Seconds, or a date. RFC 9110 §10.2.3 */
function retryAfterMs(value: string | undefined): number | undefined {
  if (value === undefined) return undefined;
  if (/^\d{1,6}$/.test(value)) return Number(value) * 1000;
  const at = Date.parse(value);
  return Number.isNaN(at) ? undefined : Math.max(0, at - Date.now());
}
