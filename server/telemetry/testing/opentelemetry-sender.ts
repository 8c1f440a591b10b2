// An application with OpenTelemetry's Node SDK as its documentation has it: all that it sends, and where to, is said by OTEL_* variables.
// A number on standard input asks for so many spans (each with a child), counts and log lines; "sent" answers when the SDK has handed them over.
import { createInterface } from "node:readline";
import { context, metrics, SpanStatusCode, trace } from "@opentelemetry/api";
import { logs, SeverityNumber } from "@opentelemetry/api-logs";
import { NodeSDK } from "@opentelemetry/sdk-node";

const sdk = new NodeSDK();
sdk.start();
const tracer = trace.getTracer("shop", "1.2.3");
const logger = logs.getLogger("shop");
const counter = metrics.getMeter("shop").createCounter("orders", { unit: "1" });
const histogram = metrics.getMeter("shop").createHistogram("order.duration", { unit: "ms" });

for await (const line of createInterface({ input: process.stdin })) {
  const count = Number(line);
  for (let n = 0; n < count; n++) order(n);
  await flushed(trace.getTracerProvider(), logs.getLoggerProvider(), metrics.getMeterProvider());
  process.stdout.write("sent\n");
}
await sdk.shutdown();

function order(n: number): void {
  const span = tracer.startSpan("order", {
    attributes: { n, "order.kind": n % 2 === 0 ? "even" : "odd", list: ["a", "b"] },
  });
  const within = trace.setSpan(context.active(), span);
  tracer.startSpan("pay", {}, within).end();
  if (n % 10 === 0) span.setStatus({ code: SpanStatusCode.ERROR, message: "declined" });
  logger.emit({ body: `order ${n}`, severityNumber: SeverityNumber.INFO, severityText: "INFO", context: within });
  counter.add(1, { kind: "book" });
  histogram.record(n);
  span.end();
}

/** The global providers stand before the SDK's own, which alone can be flushed. */
async function flushed(...providers: unknown[]): Promise<void> {
  for (const provider of providers) {
    const own = has(provider, "getDelegate") ? provider.getDelegate() : provider;
    if (has(own, "forceFlush")) await own.forceFlush();
  }
}

function has<Name extends string>(value: unknown, name: Name): value is Record<Name, () => unknown> {
  return typeof value === "object" && value !== null && typeof (value as Record<string, unknown>)[name] === "function";
}
