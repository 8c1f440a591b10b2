import { expect, it } from "vitest";
import { certificateTone, gatewayTrouble } from "./gateway-trouble.ts";
import type { GatewayView, ServerCertificate } from "./gateways.ts";

const day = 86_400_000;
const now = 100 * day;
const certificate = (leftDays: number, lifeDays = 365): ServerCertificate => ({
  from: "istio-system/shop",
  found: true,
  subject: "CN=shop",
  issuer: "CN=ca",
  names: ["shop.test"],
  notBeforeMs: now + (leftDays - lifeDays) * day,
  notAfterMs: now + leftDays * day,
});
const gateway = (over: Partial<GatewayView> = {}, certificates: ServerCertificate[] = []): GatewayView => ({
  namespace: "default",
  name: "shop",
  selector: {},
  proxies: [{ namespace: "istio-system", app: "istio-ingressgateway" }],
  servers: [
    { index: 0, port: 443, protocol: "HTTPS", hosts: ["*"], tls: null, certificates, routedBy: ["default/shop"] },
  ],
  routes: [],
  ...over,
});

it("warns of an end a month before, and of one that lives for a day when a quarter is left", () => {
  expect(certificateTone(certificate(60), now)).toBe("plain");
  expect(certificateTone(certificate(20), now)).toBe("warn");
  expect(certificateTone(certificate(3), now)).toBe("bad");
  expect(certificateTone(certificate(-1), now)).toBe("bad");
  expect(certificateTone(certificate(0.9, 1), now)).toBe("plain");
  expect(certificateTone(certificate(0.2, 1), now)).toBe("warn");
  expect(certificateTone({ ...certificate(60), found: false }, now)).toBe("bad");
  expect(certificateTone({ ...certificate(60), notAfterMs: null }, now)).toBe("plain");
});

it("says what keeps clients out", () => {
  expect(gatewayTrouble(gateway(), now)).toEqual({ tone: "plain", says: [] });
  expect(gatewayTrouble(gateway({ proxies: null }), now).says).toEqual([]);
  expect(gatewayTrouble(gateway({ proxies: [] }), now)).toEqual({ tone: "bad", says: ["nobody-serves"] });
  const [server] = gateway().servers;
  const unrouted = server && { ...server, routedBy: [] };
  expect(gatewayTrouble(gateway({ servers: unrouted ? [unrouted] : [] }), now)).toEqual({
    tone: "warn",
    says: ["unrouted"],
  });
  expect(gatewayTrouble(gateway({}, [certificate(20)]), now)).toEqual({ tone: "warn", says: ["certificate-soon"] });
});
