import { create } from "@bufbuild/protobuf";
import {
  AggregatedConfigSourceSchema,
  ApiVersion,
  type ConfigSource,
  ConfigSourceSchema,
} from "../gen/proto/envoy/config/core/v3/config_source_pb.js";
import { zero } from "./duration.ts";

/** The stream that everything comes on. Without a fetch timeout, warming waits for the resource rather than going on with none. */
export const adsConfig: ConfigSource = create(ConfigSourceSchema, {
  configSourceSpecifier: { case: "ads", value: create(AggregatedConfigSourceSchema) },
  initialFetchTimeout: zero,
  resourceApiVersion: ApiVersion.V3,
});
