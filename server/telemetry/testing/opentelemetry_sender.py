"""What opentelemetry-sender.ts does, with OpenTelemetry's Python SDK: where to and how is said by OTEL_* variables."""

import os
import sys

from opentelemetry import metrics, trace
from opentelemetry._logs import LogRecord, SeverityNumber
from opentelemetry.sdk._logs import LoggerProvider
from opentelemetry.sdk._logs.export import BatchLogRecordProcessor
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import PeriodicExportingMetricReader
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor

if os.environ["OTEL_EXPORTER_OTLP_PROTOCOL"] == "grpc":
    from opentelemetry.exporter.otlp.proto.grpc._log_exporter import OTLPLogExporter
    from opentelemetry.exporter.otlp.proto.grpc.metric_exporter import OTLPMetricExporter
    from opentelemetry.exporter.otlp.proto.grpc.trace_exporter import OTLPSpanExporter
else:
    from opentelemetry.exporter.otlp.proto.http._log_exporter import OTLPLogExporter
    from opentelemetry.exporter.otlp.proto.http.metric_exporter import OTLPMetricExporter
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter

tracers = TracerProvider()
tracers.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
loggers = LoggerProvider()
loggers.add_log_record_processor(BatchLogRecordProcessor(OTLPLogExporter()))
meters = MeterProvider([PeriodicExportingMetricReader(OTLPMetricExporter(), export_interval_millis=3_600_000)])
tracer = tracers.get_tracer("shop", "1.2.3")
logger = loggers.get_logger("shop")
counter = meters.get_meter("shop").create_counter("orders", unit="1")
histogram = meters.get_meter("shop").create_histogram("order.duration", unit="ms")


def order(n: int) -> None:
    attributes = {"n": n, "order.kind": "even" if n % 2 == 0 else "odd", "list": ["a", "b"]}
    with tracer.start_as_current_span("order", attributes=attributes) as span:
        with tracer.start_as_current_span("pay"):
            pass
        if n % 10 == 0:
            span.set_status(trace.StatusCode.ERROR, "declined")
        of = span.get_span_context()
        record = LogRecord(
            body=f"order {n}",
            severity_number=SeverityNumber.INFO,
            severity_text="INFO",
            context=trace.set_span_in_context(trace.NonRecordingSpan(of)),
        )
        logger.emit(record)
        counter.add(1, {"kind": "book"})
        histogram.record(n)


for line in sys.stdin:
    for n in range(int(line)):
        order(n)
    flushed = [provider.force_flush() for provider in (tracers, loggers, meters)]
    print("sent" if all(flushed) else "not sent", flush=True)
for provider in (tracers, loggers, meters):
    provider.shutdown()
