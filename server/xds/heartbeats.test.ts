import { create } from "@bufbuild/protobuf";
import { expect, test } from "vitest";
import { NodeSchema } from "../gen/proto/envoy/config/core/v3/base_pb.js";
import { FakeClock } from "../lib/testing/fake-clock.ts";
import type { Protocol, Push } from "./exchange.ts";
import { Session } from "./session.ts";
import { type Resource, type Snapshot, TypeUrl } from "./types.ts";

const { runtime } = TypeUrl;
const ttlMs = 9_000;

const snapshotOf = (revision: number, layers: Record<string, string>): Snapshot => {
  const resources = Object.entries(layers).map(([name, version]): [string, Resource] => [
    name,
    { name, version, value: new Uint8Array(), ...(name.startsWith("timed") && { ttlMs }) },
  ]);
  return { revision, resources: new Map([[runtime, new Map(resources)]]) };
};

/** `+a@1` is a resource that was sent, `~a@1` one that still stands. */
function setUp(protocol: Protocol = "delta", keepsTime = true) {
  const sent: string[] = [];
  let last: Push | undefined;
  const clock = new FakeClock();
  const session = new Session({
    id: "1",
    node: create(NodeSchema, { id: "n" }),
    protocol,
    keepsTime,
    clock,
    orderWaitMs: 1_000,
    responseBytes: 1_000_000,
    write(_, push) {
      last = push;
      const added = push.resources.map(({ name, version }) => `+${name}@${version}`);
      const beats = (push.heartbeats ?? []).map(({ name, version }) => `~${name}@${version}`);
      sent.push([...added, ...beats, ...push.removed.map((name) => `-${name}`)].join(" "));
    },
    events: {},
  });
  const receive = (request: { initialVersions?: ReadonlyMap<string, string>; names?: string[]; error?: string }) =>
    session.receive(runtime, {
      subscribe: request.names ?? [],
      responseNonce: last?.nonce ?? "",
      ...(request.initialVersions && { initialVersions: request.initialVersions }),
      ...(request.error !== undefined && { error: request.error }),
    });
  const names = ["plain", "timed"];
  /** A state-of-the-world client repeats its names. */
  const answer = (error?: string) =>
    receive({ ...(protocol === "sotw" && { names }), ...(error !== undefined && { error }) });
  session.publish(snapshotOf(1, { plain: "1", timed: "1" }));
  return { session, clock, receive, answer, names, take: () => sent.splice(0) };
}

test.each(["delta", "sotw"] as const)("what has a time is told of in time, again and again (%s)", (protocol) => {
  const { clock, receive, answer, names, take } = setUp(protocol);
  receive({ names });
  expect(take()).toEqual(["+plain@1 +timed@1"]);
  answer();
  for (let round = 0; round < 5; round++) {
    clock.advance(2_999);
    expect(take()).toEqual([]);
    clock.advance(1);
    // An Envoy on the state-of-the-world protocol lets the time run on where there is no content.
    expect(take()).toEqual([protocol === "delta" ? "~timed@1" : "+timed@1"]);
    answer();
  }
});

test("a client that cannot tell the time hears nothing, and neither does one that is gone", () => {
  const plain = setUp("delta", false);
  plain.receive({ names: plain.names });
  plain.answer();
  plain.take();
  plain.clock.advance(60_000);
  expect(plain.take()).toEqual([]);

  const gone = setUp();
  gone.receive({ names: gone.names });
  gone.answer();
  gone.session.close();
  gone.take();
  gone.clock.advance(60_000);
  expect(gone.take()).toEqual([]);
});

test("one that comes back with what it holds is told at once: it may have had it for long", () => {
  const { receive, answer, take, clock } = setUp();
  receive({ names: ["timed"], initialVersions: new Map([["timed", "1"]]) });
  expect(take()).toEqual([""]);
  answer();
  expect(take()).toEqual(["~timed@1"]);
  answer();
  clock.advance(3_000);
  expect(take()).toEqual(["~timed@1"]);
});

test("one that answers late has dropped it, and gets it whole", () => {
  const { receive, answer, take, clock, session } = setUp();
  receive({ names: ["plain", "timed"] });
  answer();
  session.publish(snapshotOf(2, { plain: "2", timed: "1" }));
  expect(take()).toEqual(["+plain@1 +timed@1", "+plain@2"]);
  clock.advance(9_000);
  answer();
  expect(take()).toEqual(["+timed@1"]);
});

test("one that refuses a heartbeat gets it whole", () => {
  const { receive, answer, take, clock } = setUp();
  receive({ names: ["timed"] });
  answer();
  clock.advance(3_000);
  take();
  answer("nothing of that name is held");
  expect(take()).toEqual(["+timed@1"]);
});

test("a change takes a heartbeat's place, and what is gone has none", () => {
  const { session, receive, answer, take, clock } = setUp();
  receive({ names: ["timed", "timed-too"] });
  answer();
  session.publish(snapshotOf(2, { timed: "2", "timed-too": "1" }));
  answer();
  take();
  clock.advance(3_000);
  expect(take()).toEqual(["~timed@2 ~timed-too@1"]);
  answer();
  session.publish(snapshotOf(3, { timed: "2" }));
  expect(take()).toEqual(["-timed-too"]);
  answer();
  clock.advance(3_000);
  expect(take()).toEqual(["~timed@2"]);
});
