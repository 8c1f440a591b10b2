import { createRegistry, type DescFile, type Registry } from "@bufbuild/protobuf";
import { file_envoy_admin_v3_config_dump } from "../../gen/proto/envoy/admin/v3/config_dump_pb.js";
import { file_envoy_config_bootstrap_v3_bootstrap } from "../../gen/proto/envoy/config/bootstrap/v3/bootstrap_pb.js";
import { file_envoy_config_metrics_v3_metrics_service } from "../../gen/proto/envoy/config/metrics/v3/metrics_service_pb.js";
import { file_envoy_extensions_resource_monitors_downstream_connections_v3_downstream_connections } from "../../gen/proto/envoy/extensions/resource_monitors/downstream_connections/v3/downstream_connections_pb.js";
import { resourceFiles } from "../../proto/resource-files.ts";

/**
 * Every message that may stand in a bootstrap, and in a dump of what is in force: known here means that it can be read and shown, not that
 * the data path supports it; what it doesn't support it refuses by name when the listener or cluster is added.
 */
export const extensionRegistry: Registry = registryOf(
  file_envoy_config_bootstrap_v3_bootstrap,
  file_envoy_admin_v3_config_dump,
  file_envoy_config_metrics_v3_metrics_service,
  file_envoy_extensions_resource_monitors_downstream_connections_v3_downstream_connections,
  ...resourceFiles,
);

/** A registry of files and all that they import: a dump packs clusters, listeners and routes too. */
function registryOf(...files: DescFile[]): Registry {
  const all = new Set<DescFile>();
  const add = (file: DescFile) => {
    if (all.has(file)) return;
    all.add(file);
    file.dependencies.forEach(add);
  };
  files.forEach(add);
  return createRegistry(...all);
}
