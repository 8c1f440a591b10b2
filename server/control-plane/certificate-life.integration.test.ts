import { status } from "@grpc/grpc-js";
import { expect, test } from "vitest";
import type { CertificateAuthority } from "../ca/certificate-authority.ts";
import { TypeUrl } from "../xds/types.ts";
import { CertifiedMesh, hour, node, reviewsSecrets, service, subscribe, waitFor } from "./testing/certified-mesh.ts";

const mesh = new CertifiedMesh();

test("a certificate is renewed on the open stream, which is nobody's change", async () => {
  await mesh.put(service("ratings"));
  const { tls, plane } = await mesh.startPlane();
  const [one, other] = [mesh.deltaStream(tls, {}), mesh.deltaStream(tls, {})];
  for (const { send } of [one, other]) {
    send(subscribe());
    send({ typeUrl: TypeUrl.cluster });
  }
  await waitFor(() => expect([one, other].map(({ responses }) => responses.length)).toEqual([2, 2]));
  expect(one.secrets()).toEqual(other.secrets()); // one certificate for all of an identity
  const before = plane.pushes.get("latest");
  mesh.clock.advance(14 * hour);
  await waitFor(() => expect([one, other].map(({ secrets }) => secrets().length)).toEqual([2, 2]));
  const [first, second] = one.secrets();
  expect(second?.map(({ name }) => name)).toEqual(["default"]); // the root is as it was
  const root = first?.filter(({ name }) => name === "ROOTCA") ?? [];
  const renewed = mesh.readSecrets([...(second ?? []), ...root]);
  expect(renewed).toMatchObject(reviewsSecrets);
  expect(renewed.serial).not.toBe(mesh.readSecrets(first ?? []).serial);
  expect(one.responses).toHaveLength(3);
  expect(plane.pushes.get("latest")).toEqual(before);
  expect(plane.metrics.value("limpid_certificates_renewed_total")).toBe(1);

  const { revision } = await mesh.put(service("details"));
  await waitFor(() =>
    expect(plane.pushes.get(revision)).toMatchObject({ complete: true, proxies: [{ state: "acked" }] }),
  );
  expect(one.secrets()).toHaveLength(2);
});

/** An mesh.authority whose certificates come when told. */
function slowAuthority() {
  const pending: (() => void)[] = [];
  const slow: CertificateAuthority = {
    ...mesh.authority,
    async issue(request) {
      if (!request.spiffeUri.endsWith("/control-plane")) await new Promise<void>((done) => pending.push(done));
      return await mesh.authority.issue(request);
    },
  };
  return { slow, release: () => pending.splice(0).map((done) => done()), pending };
}

test("while the first certificate is issued a proxy gets nothing, and then the mesh as it is by then", async () => {
  const { slow, release, pending } = slowAuthority();
  const { tls, plane } = await mesh.startPlane({ authority: slow });
  const [stays, leaves] = [mesh.deltaStream(tls, {}), mesh.deltaStream(tls, {})];
  for (const { send } of [stays, leaves]) send({ node: node(), typeUrl: TypeUrl.cluster });
  await waitFor(() => expect(plane.metrics.value("limpid_xds_connected_proxies")).toBe(2));
  expect(pending).toHaveLength(1);
  mesh.closers.pop()?.(); // the second leaves
  await waitFor(() => expect(plane.metrics.value("limpid_xds_connected_proxies")).toBe(1));
  const { revision } = await mesh.put(service("ratings"));
  await waitFor(() => expect(plane.pushes.get(revision)?.complete).toBe(true));
  expect(stays.responses).toEqual([]);
  release();
  await waitFor(() => expect(stays.responses).toHaveLength(1));
  expect(stays.responses[0]?.systemVersionInfo).toBe(String(revision));
  expect(stays.responses[0]?.resources.some(({ name }) => name.includes("ratings"))).toBe(true);
});

test("a proxy whose certificate does not come is sent away to come back", async () => {
  const { slow } = slowAuthority();
  const { tls, plane } = await mesh.startPlane({ authority: slow });
  const { send, errors, responses } = mesh.deltaStream(tls, {});
  send(subscribe());
  await waitFor(() => expect(plane.metrics.value("limpid_xds_connected_proxies")).toBe(1));
  mesh.clock.advance(15_000);
  await waitFor(() => expect(errors[0]?.code).toBe(status.UNAVAILABLE));
  expect(errors[0]?.details).toContain("no certificate could be issued");
  expect(responses).toEqual([]);
  expect(plane.metrics.value("limpid_xds_connected_proxies")).toBe(0);
});
