import { create } from "@bufbuild/protobuf";
import { BuildVersionSchema, type Node } from "../../gen/proto/envoy/config/core/v3/base_pb.js";

/** Tells the control plane which proxy this is; the rest of the node is the bootstrap's. */
export function identify(node: Node, version: string, userAgent = "limpid-sidecar"): void {
  const [major = 0, minor = 0, patch = 0] = version.split(".").map((part) => Number.parseInt(part, 10) || 0);
  node.userAgentName = userAgent;
  node.userAgentVersionType = {
    case: "userAgentBuildVersion",
    value: create(BuildVersionSchema, { version: { majorNumber: major, minorNumber: minor, patch } }),
  };
  node.metadata = { ...node.metadata, LIMPID_VERSION: version };
}
