import type { EdgeKey } from "../../../telemetry/record.ts";
import { type Columns, int2, text } from "./column.ts";

export const edgeColumns: Columns<EdgeKey> = [
  text("reporter", ({ reporter }) => reporter),
  int2("gateway", ({ gateway }) => (gateway ? 1 : 0)),
  text("source_namespace", ({ source }) => source.namespace),
  text("source_app", ({ source }) => source.app),
  text("source_version", ({ source }) => source.version),
  text("source_workload", ({ source }) => source.workload),
  text("service", ({ service }) => service),
  text("destination_namespace", ({ destination }) => destination.namespace),
  text("destination_app", ({ destination }) => destination.app),
  text("destination_version", ({ destination }) => destination.version),
  text("destination_workload", ({ destination }) => destination.workload),
  text("protocol", ({ protocol }) => protocol),
  int2("mtls", ({ mtls }) => (mtls ? 1 : 0)),
];
