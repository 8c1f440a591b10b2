import { createServer, request } from "node:https";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import type { TLSSocket } from "node:tls";
import { create, type DescMessage, fromJson, type JsonValue } from "@bufbuild/protobuf";
import { anyPack } from "@bufbuild/protobuf/wkt";
import { afterEach, expect, test, vi } from "vitest";
import { type CertificateAuthority, openCertificateAuthority } from "../ca/certificate-authority.ts";
import { spiffeIdOf, tempFolder, tlsOf } from "../ca/testing/tls.ts";
import { writeCertificate } from "../ca/write-certificate.ts";
import { TransportSocketSchema } from "../gen/proto/envoy/config/core/v3/base_pb.js";
import {
  DownstreamTlsContextSchema,
  UpstreamTlsContextSchema,
} from "../gen/proto/envoy/extensions/transport_sockets/tls/v3/tls_pb.js";
import { systemClock } from "../lib/clock.ts";
import { silentLogger } from "../lib/logger.ts";
import { createXdsServer } from "../xds/ads-server.ts";
import { createSnapshot, withSecrets } from "../xds/snapshot.ts";
import { envoyMissing, freePort, startEnvoy } from "../xds/testing/envoy.ts";
import { testCluster, testListener, testMessages } from "../xds/testing/messages.ts";
import { secretsOf } from "./secrets/workload-secrets.ts";

const closers: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close();
});

const [me, client, upstream] = ["envoy", "client", "upstream"].map((name) => spiffeIdOf(name)) as [
  string,
  string,
  string,
];
const server = spiffeIdOf("control-plane", "limpid-system");
const issue = (authority: CertificateAuthority, spiffeUri: string) => authority.issue({ spiffeUri, ttlSec: 3600 });

/** Certificate and root over ADS, and whom to expect. */
const common = (peer: string) => {
  const sds_config = { ads: {}, initial_fetch_timeout: "0s", resource_api_version: "V3" };
  return {
    tls_certificate_sds_secret_configs: [{ name: "default", sds_config }],
    combined_validation_context: {
      default_validation_context: { match_typed_subject_alt_names: [{ san_type: "URI", matcher: { exact: peer } }] },
      validation_context_sds_secret_config: { name: "ROOTCA", sds_config },
    },
  };
};
const socketOf = (schema: DescMessage, json: JsonValue) =>
  create(TransportSocketSchema, {
    name: "envoy.transport_sockets.tls",
    configType: { case: "typedConfig", value: anyPack(schema, fromJson(schema, json)) },
  });

/** A listener and a cluster that both speak mutual TLS with what comes over SDS. */
function securedMessages(listenerPort: number, upstreamPort: number) {
  const messages = testMessages({ listenerPort, upstreamPort, services: 1, vhds: true });
  const transportSocket = socketOf(UpstreamTlsContextSchema, { common_tls_context: common(upstream) });
  const inbound = { common_tls_context: common(client), require_client_certificate: true };
  const listener = testListener("outbound", listenerPort, "http_proxy");
  const socket = socketOf(DownstreamTlsContextSchema, inbound);
  const filterChains = listener.filterChains.map((chain) => ({ ...chain, transportSocket: socket }));
  return {
    ...messages,
    clusters: new Map([["s0", { ...testCluster("s0"), transportSocket }]]),
    listeners: new Map([["outbound", { ...listener, filterChains }]]),
  };
}

/** Answers with the name in its client's certificate. */
async function startUpstream(authority: CertificateAuthority): Promise<number> {
  const options = {
    ...tlsOf(authority, await issue(authority, upstream)),
    requestCert: true,
    rejectUnauthorized: true,
  };
  const app = createServer(options, (incoming, response) =>
    response.end((incoming.socket as TLSSocket).getPeerCertificate().subjectaltname),
  );
  await new Promise<void>((done) => app.listen(0, "127.0.0.1", done));
  closers.push(() => app.close());
  return (app.address() as AddressInfo).port;
}

/** `[what the upstream saw, what the client saw, the serial of Envoy's certificate]` */
async function call(authority: CertificateAuthority, port: number): Promise<(string | undefined)[]> {
  const tls = tlsOf(authority, await issue(authority, client));
  return await new Promise((resolve, reject) => {
    const options = { ...tls, host: "127.0.0.1", port, headers: { host: "s0" }, agent: false };
    const sent = request({ ...options, checkServerIdentity: () => undefined }, (response) => {
      const peer = (response.socket as TLSSocket).getPeerCertificate();
      let body = "";
      response.on("data", (chunk) => {
        body += chunk;
      });
      response.on("end", () => resolve([body, peer.subjectaltname, peer.serialNumber]));
    });
    sent.on("error", reject);
    sent.end();
  });
}

test.skipIf(envoyMissing).each(["DELTA_GRPC", "GRPC"] as const)(
  "a real Envoy connects with its certificate, takes secrets over %s, and renewed ones without a new connection",
  async (api) => {
    const [folder, clean] = await tempFolder();
    closers.push(clean);
    const authority = await openCertificateAuthority(join(folder, "ca"), {
      clock: systemClock,
      trustDomain: "cluster.local",
    });
    const [own, first, second] = await Promise.all([server, me, me].map((uri) => issue(authority, uri)));
    if (!own || !first || !second) throw new Error("not issued");
    const nacks: string[] = [];
    const listenerPort = await freePort();
    // State-of-the-world clients get whole route configurations elsewhere; VHDS needs the incremental protocol.
    const messages = securedMessages(listenerPort, await startUpstream(authority));
    const whole = testMessages({ listenerPort, upstreamPort: 1, services: 1, vhds: false });
    const mesh = api === "GRPC" ? { ...messages, routes: whole.routes, virtualHosts: whole.virtualHosts } : messages;
    const xds = createXdsServer({
      port: 0,
      tls: {
        port: 0,
        credentials: async () => ({ key: own.keyPem, certificateChain: own.chainPem, root: authority.rootPem }),
      },
      clock: systemClock,
      logger: silentLogger,
      events: {
        connected: (session) => session.publish(createSnapshot(1, mesh, secretsOf(first, authority.rootPem))),
        disconnected: () => undefined,
        nacked: (_session, typeUrl, _refused, message) => void nacks.push(`${typeUrl}: ${message}`),
      },
    });
    await xds.start();
    closers.push(() => xds.stop(200));
    const files = await writeCertificate(join(folder, "run"), await issue(authority, me));
    const envoy = await startEnvoy({
      id: "sidecar~127.0.0.1~envoy.default~default.svc.cluster.local",
      xdsPort: xds.tlsPort() ?? 0,
      api,
      tls: { ...files, root: join(folder, "ca/root-cert.pem"), serverUri: server },
    });
    closers.push(() => envoy.stop());
    const seen = [`URI:${me}`, `URI:${me}`];
    await vi.waitFor(
      async () => expect(await call(authority, listenerPort)).toEqual([...seen, first.serial.toUpperCase()]),
      { timeout: 15_000, interval: 50 },
    );
    expect(xds.sessions().map(({ identity }) => identity)).toEqual([me]);
    const [session] = xds.sessions();
    if (session?.snapshot) session.publish(withSecrets(session.snapshot, secretsOf(second, authority.rootPem)));
    await vi.waitFor(
      async () => expect(await call(authority, listenerPort)).toEqual([...seen, second.serial.toUpperCase()]),
      { timeout: 10_000, interval: 50 },
    );
    expect(xds.sessions()).toEqual([session]);
    expect(nacks).toEqual([]);
  },
);
