import type { SupportedFields } from "../../request/filter.ts";

/** Of endpoints. */
export const endpointFields: SupportedFields = {
  "envoy.config.endpoint.v3.ClusterLoadAssignment": ["cluster_name", "endpoints", "policy"],
  "envoy.config.endpoint.v3.ClusterLoadAssignment.Policy": [
    "overprovisioning_factor",
    "weighted_priority_health",
    "drop_overloads",
  ],
  // harmless: there is one category at the most, and nobody is told its name
  "envoy.config.endpoint.v3.ClusterLoadAssignment.Policy.DropOverload": ["category", "drop_percentage"],
  "envoy.config.endpoint.v3.LocalityLbEndpoints": [
    "locality",
    "lb_endpoints",
    "load_balancing_weight",
    "priority",
    "metadata",
    "proximity",
  ],
  "envoy.config.endpoint.v3.LbEndpoint": ["endpoint", "health_status", "metadata", "load_balancing_weight"],
  "envoy.config.endpoint.v3.Endpoint": ["address", "hostname", "health_check_config"],
  "envoy.config.endpoint.v3.Endpoint.HealthCheckConfig": [
    "port_value",
    "hostname",
    "address",
    "disable_active_health_check",
  ],
};
