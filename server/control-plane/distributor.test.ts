import { create } from "@bufbuild/protobuf";
import { expect, test } from "vitest";
import { NodeSchema } from "../gen/proto/envoy/config/core/v3/base_pb.js";
import { type Secret, SecretSchema } from "../gen/proto/envoy/extensions/transport_sockets/tls/v3/secret_pb.js";
import { silentLogger } from "../lib/logger.ts";
import { FakeClock } from "../lib/testing/fake-clock.ts";
import type { MeshProxy } from "../model/proxy.ts";
import { Session } from "../xds/session.ts";
import { testCluster, testMessages, withEntry } from "../xds/testing/messages.ts";
import { TypeUrl } from "../xds/types.ts";
import type { Credentials } from "./credentials.ts";
import { Distributor } from "./distributor.ts";
import type { MeshPipeline } from "./pipeline.ts";

const secretNamed = (name: string) => new Map<string, Secret>([[name, create(SecretSchema, { name })]]);

/** One proxy with an identity, whose mesh and secrets change when told. */
function setUp(identity = "spiffe://cluster.local/ns/default/sa/reviews", revoked?: string) {
  const clock = new FakeClock();
  const mesh = { revision: 1, resources: testMessages({ listenerPort: 1, upstreamPort: 2, services: 1, vhds: true }) };
  const proxy = { id: "p", name: "p", namespace: "default", serviceAccount: "reviews", identity };
  const pipeline = {
    get revision() {
      return mesh.revision;
    },
    parseProxy: () => proxy as MeshProxy,
    translate: () => mesh.resources,
    trustDomains: () => ["cluster.local", "old.example"],
  } as unknown as MeshPipeline;
  const held = {
    secrets: secretNamed("first") as ReadonlyMap<string, Secret> | undefined,
    changed: () => {},
    leases: 0,
    of: "",
  };
  const credentials = {
    trustDomain: "cluster.local",
    lease(identity: string, changed: () => void) {
      held.leases += 1;
      held.of = identity;
      held.changed = changed;
      return { current: () => held.secrets, release: () => void held.leases-- };
    },
  } as unknown as Credentials;
  const failures: Session[] = [];
  const onFailure = (session: Session) => void failures.push(session);
  const isRevoked = (it: string) => it === revoked;
  const options = { pipeline, credentials, isRevoked, clock, logger: silentLogger, onFailure, onTranslated: () => {} };
  const distributor = new Distributor(options);
  const session = new Session({
    id: "1",
    node: create(NodeSchema, { id: "p" }),
    identity,
    protocol: "delta",
    clock,
    write: () => {},
    events: {},
    orderWaitMs: 1000,
    responseBytes: 1 << 20,
  });
  const change = (revision: number) => {
    mesh.revision = revision;
    mesh.resources = {
      ...mesh.resources,
      clusters: withEntry(mesh.resources.clusters, "s0", testCluster("s0", `${revision}s`)),
    };
  };
  const holds = (typeUrl: string) => [...(session.snapshot?.resources.get(typeUrl)?.keys() ?? [])];
  const announced = async () => {
    const names: string[] = [];
    await distributor.distribute((_, name) => names.push(name));
    return names;
  };
  return { clock, distributor, session, held, change, holds, announced, failures };
}

test("renewed secrets bring no change of the mesh with them: that is announced, and counts as a push", async () => {
  const { distributor, session, held, change, holds, announced } = setUp();
  distributor.connect(session);
  expect(holds(TypeUrl.secret)).toEqual(["first"]);
  change(2); // the mesh has it, this proxy not yet
  held.secrets = secretNamed("second");
  held.changed();
  expect([holds(TypeUrl.secret), session.snapshot?.revision]).toEqual([["second"], 1]);
  expect(await announced()).toEqual(["p"]);
  expect([holds(TypeUrl.secret), session.snapshot?.revision]).toEqual([["second"], 2]);
  expect(await announced()).toEqual([]); // secrets alone are nobody's change
});

test("a proxy whose certificate has ended, and could not be renewed, is still told of changes", async () => {
  const { distributor, session, held, change, holds, announced } = setUp();
  distributor.connect(session);
  held.secrets = undefined;
  change(2);
  expect(await announced()).toEqual(["p"]);
  expect([holds(TypeUrl.secret), session.snapshot?.revision]).toEqual([["first"], 2]);
});

test("who leaves lets go of its certificate and is not waited for", () => {
  const { distributor, session, held, clock } = setUp();
  held.secrets = undefined;
  distributor.connect(session);
  expect([session.snapshot, held.leases, clock.pending]).toEqual([undefined, 1, 1]);
  distributor.disconnect(session);
  expect([held.leases, clock.pending]).toEqual([0, 0]);
  held.secrets = secretNamed("late");
  held.changed();
  expect(session.snapshot).toBeUndefined();
});

test("who comes by an alias of the trust domain is who has that account, and gets a certificate of the mesh's own", () => {
  const own = "spiffe://cluster.local/ns/default/sa/reviews";
  const aliased = "spiffe://old.example/ns/default/sa/reviews";
  const { distributor, session, held, holds } = setUp(aliased);
  distributor.connect(session);
  expect([held.of, holds(TypeUrl.secret)]).toEqual([own, ["first"]]);
  const revoked = setUp(aliased, own);
  expect(() => revoked.distributor.connect(revoked.session)).toThrow(`${own} was revoked`);
  const foreign = setUp("spiffe://elsewhere/ns/default/sa/reviews");
  expect(() => foreign.distributor.connect(foreign.session)).toThrow(
    /elsewhere.* is not of the form spiffe:\/\/cluster\.local\/ns\/.*alias \(old\.example\)$/,
  );
});
