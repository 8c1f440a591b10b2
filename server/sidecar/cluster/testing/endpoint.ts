import { Endpoint, type EndpointConfig, type EndpointLocality } from "../endpoint.ts";

export const nowhere: EndpointLocality = { region: "", zone: "", subZone: "", weight: 0 };

/** A healthy endpoint at a port. */
export const testEndpoint = (port: number, config: Partial<EndpointConfig> = {}): Endpoint =>
  new Endpoint({
    address: "10.0.0.1",
    port,
    hostname: "",
    weight: 1,
    healthFlag: 0,
    priority: 0,
    locality: nowhere,
    metadata: undefined,
    check: undefined,
    ...config,
  });
