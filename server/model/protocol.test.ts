import { expect, it } from "vitest";
import { portProtocol } from "./protocol.ts";

it.each([
  [{ name: "http" }, "HTTP"],
  [{ name: "http-web" }, "HTTP"],
  [{ name: "HTTP2-x" }, "HTTP2"],
  [{ name: "grpc" }, "GRPC"],
  [{ name: "grpc-web" }, "GRPC-Web"],
  [{ name: "grpc-web-api" }, "GRPC-Web"],
  [{ name: "grpc-webhook" }, "GRPC"],
  [{ name: "httpx" }, "auto"],
  [{ name: "web" }, "auto"],
  [{}, "auto"],
  [{ name: "tcp-db" }, "TCP"],
  [{ name: "http", appProtocol: "tcp" }, "TCP"],
  [{ name: "http", appProtocol: "kubernetes.io/h2c" }, "HTTP2"],
  [{ name: "http", appProtocol: "acme.com/own" }, "auto"],
  [{ name: "http", protocol: "UDP" }, "UDP"],
  [{ name: "http", protocol: "SCTP" }, "UDP"],
])("%j is %s", (port, expected) => {
  expect(portProtocol(port)).toBe(expected);
});
