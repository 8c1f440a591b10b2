import { createPrivateKey, X509Certificate } from "node:crypto";
import { create, toBinary } from "@bufbuild/protobuf";
import { Metadata } from "@grpc/grpc-js";
import { expect, test } from "vitest";
import {
  ClientStatusDiscoveryService,
  ClientStatusRequestSchema,
  type ClientStatusResponse,
  ClientStatusResponseSchema,
} from "../gen/proto/envoy/service/status/v3/csds_pb.js";
import { makeClient } from "../lib/grpc.ts";
import { fetchProxyStatuses } from "../xds/csds-client.ts";
import { TypeUrl } from "../xds/types.ts";
import { bytes, CertifiedMesh, decode, hour, service, subscribe, waitFor } from "./testing/certified-mesh.ts";

const mesh = new CertifiedMesh();

function clientStatus(target: string): Promise<ClientStatusResponse> {
  const client = makeClient(ClientStatusDiscoveryService, target);
  mesh.closers.push(() => client.close());
  return new Promise((resolve, reject) =>
    client.fetchClientStatus(create(ClientStatusRequestSchema), new Metadata(), {}, (error, response) =>
      response ? resolve(response) : reject(error),
    ),
  );
}

test("a refused secret is told without its contents, and not to whoever changes the configuration meanwhile", async () => {
  await mesh.put(service("ratings"));
  const { tls, plane, logged } = await mesh.startPlane();
  const { send, responses, secrets, proxy } = mesh.deltaStream(tls, {});
  send(subscribe());
  send({ typeUrl: TypeUrl.cluster });
  await waitFor(() => expect(responses).toHaveLength(2));
  proxy.answers[TypeUrl.cluster] = "later";
  const { revision } = await mesh.put(service("details"));
  await waitFor(() => expect(responses).toHaveLength(3));
  const message = `goo.gle/debugonly tls_certificate { private_key { inline_bytes: "${mesh.reviews.keyPem}" } }`;
  proxy.answers[TypeUrl.secret] = { error: message };
  mesh.clock.advance(14 * hour);
  await waitFor(() => expect(plane.metrics.value("limpid_xds_nacks_total", { type: "Secret" })).toBe(1));
  expect(secrets()).toHaveLength(2);
  expect(logged.some((line) => line.includes("quotes the secret"))).toBe(true);
  expect(logged.join("\n")).not.toMatch(/PRIVATE KEY|inline_bytes/);
  const nonce = responses.findLast(({ typeUrl }) => typeUrl === TypeUrl.cluster)?.nonce;
  send({ typeUrl: TypeUrl.cluster, responseNonce: nonce });
  expect(await plane.pushes.wait(revision, 60_000)).toMatchObject({
    complete: true,
    proxies: [{ state: "acked", error: null }],
  });
});

test("what is shown of secrets has certificates, and no key, refused or not", async () => {
  const { tls, plain, logged } = await mesh.startPlane();
  const { send, secrets, proxy } = mesh.deltaStream(tls, {});
  send(subscribe());
  await waitFor(() => expect(secrets()).toHaveLength(1));
  const show = async () => {
    const answer = await clientStatus(plain);
    const encoded = Buffer.from(toBinary(ClientStatusResponseSchema, answer));
    expect(encoded.includes("PRIVATE KEY")).toBe(false);
    // Nor the key in another form.
    const [own] = secrets().at(-1) ?? [];
    if (own?.type.case !== "tlsCertificate") throw new Error("no certificate");
    const key = createPrivateKey(bytes(own.type.value.privateKey)).export({ format: "jwk" }).d ?? "";
    expect(encoded.includes(Buffer.from(key, "base64url"))).toBe(false);
    return answer.config[0]?.genericXdsConfigs.filter(({ typeUrl }) => typeUrl === TypeUrl.secret);
  };
  const shownSecrets = await show();
  expect(shownSecrets?.map(({ name }) => name)).toEqual(["default", "ROOTCA"]);
  const [own, root] = shownSecrets?.map(({ xdsConfig }) => xdsConfig && decode(xdsConfig)) ?? [];
  expect(own?.type.value).toMatchObject({ privateKey: { specifier: { case: "inlineString", value: "[redacted]" } } });
  const sent = secrets()[0]?.find(({ name }) => name === "default");
  if (own?.type.case !== "tlsCertificate" || sent?.type.case !== "tlsCertificate") throw new Error("no certificate");
  expect(bytes(own.type.value.certificateChain)).toBe(bytes(sent.type.value.certificateChain));
  if (root?.type.case !== "validationContext") throw new Error("no root");
  expect(bytes(root.type.value.trustedCa)).toBe(mesh.authority.rootPem);

  proxy.answers[TypeUrl.secret] = { error: "no" };
  mesh.clock.advance(14 * hour);
  await waitFor(() => expect(secrets()).toHaveLength(2));
  await waitFor(async () => {
    const failed = (await show())?.find(({ name }) => name === "default")?.errorState?.failedConfiguration;
    expect(failed && decode(failed)).toMatchObject({
      type: { value: { privateKey: { specifier: { value: "[redacted]" } } } },
    });
  });
  expect(logged.join("\n")).not.toContain("PRIVATE KEY");
});

test("the dashboard's reader has identity, certificate and the secrets' state; of a proxy in plain text none", async () => {
  const { tls, plain } = await mesh.startPlane();
  const { send, secrets } = mesh.deltaStream(tls, {});
  send(subscribe());
  await waitFor(() => expect(secrets()).toHaveLength(1));
  const sent = secrets()[0]?.find(({ name }) => name === "default");
  if (sent?.type.case !== "tlsCertificate") throw new Error("no certificate");
  const leaf = new X509Certificate(bytes(sent.type.value.certificateChain));
  await waitFor(async () => {
    const [status] = await fetchProxyStatuses(plain, { contents: { type: "SDS", name: "default" } });
    expect(status).toMatchObject({
      identity: leaf.subjectAltName?.slice("URI:".length),
      certificate: {
        serial: leaf.serialNumber.toLowerCase(),
        issuer: "O=cluster.local",
        notBeforeMs: leaf.validFromDate.getTime(),
        notAfterMs: leaf.validToDate.getTime(),
      },
      types: { SDS: { state: "SYNCED", resources: 2 } },
    });
    const shownSecret = JSON.stringify(
      status?.resources.find(({ type, name }) => type === "SDS" && name === "default"),
    );
    expect(shownSecret).toContain("-----BEGIN CERTIFICATE-----");
    expect(shownSecret).toContain('"privateKey":{"inlineString":"[redacted]"}');
  });
});
