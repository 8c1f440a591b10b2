export * from "./changes.ts";
export * from "./errors.ts";
export * from "./faults.ts";
export * from "./graph.ts";
export * from "./proxies.ts";
export * from "./services.ts";
export * from "./status.ts";
export * from "./traffic.ts";
