import { create } from "@bufbuild/protobuf";
import { durationFromMs } from "@bufbuild/protobuf/wkt";
import { expect, test } from "vitest";
import { NodeSchema } from "../gen/proto/envoy/config/core/v3/base_pb.js";
import {
  type DeltaDiscoveryRequest,
  DeltaDiscoveryResponseSchema,
} from "../gen/proto/envoy/service/discovery/v3/discovery_pb.js";
import { FakeClock } from "../lib/testing/fake-clock.ts";
import { randomFrom } from "../lib/testing/random.ts";
import { DeltaState } from "./client/delta-state.ts";
import type { Protocol, Push, SubscriptionRequest } from "./exchange.ts";
import { Session } from "./session.ts";
import { type Resource, type ResourceMap, TypeUrl } from "./types.ts";

const names = ["a", "b", "c", "d"];
const times = [undefined, 3_000, 9_000];
const longest = 9_000;

/** What drops a resource whose time is over: two clients that differ by their protocol alone. */
interface TimedClient {
  open(): SubscriptionRequest[];
  ask(name: string): SubscriptionRequest[];
  leave(name: string): SubscriptionRequest[];
  receive(push: Push, now: number): SubscriptionRequest[];
  expire(now: number): void;
  held(): ReadonlyMap<string, string>;
}

function incremental(typeUrl: TypeUrl): TimedClient {
  const state = new DeltaState(create(NodeSchema, { id: "n" }), { [typeUrl]: { apply: () => new Map() } });
  const asked = (requests: DeltaDiscoveryRequest[]): SubscriptionRequest[] =>
    requests.map((request) => ({
      subscribe: request.resourceNamesSubscribe,
      unsubscribe: request.resourceNamesUnsubscribe,
      initialVersions: new Map(Object.entries(request.initialResourceVersions)),
      responseNonce: request.responseNonce,
      ...(request.errorDetail && { error: request.errorDetail.message }),
    }));
  return {
    open() {
      state.close();
      return asked(state.open());
    },
    ask: (name) => asked(state.subscribe(typeUrl, [name])),
    leave: (name) => asked(state.unsubscribe(typeUrl, [name])),
    receive({ nonce, resources, heartbeats = [], removed }, now) {
      const told = (body: boolean) => (resource: Resource) => ({
        name: resource.name,
        version: resource.version,
        ...(resource.ttlMs !== undefined && { ttl: durationFromMs(resource.ttlMs) }),
        ...(body && { resource: { typeUrl, value: resource.value } }),
      });
      const all = [...resources.map(told(true)), ...heartbeats.map(told(false))];
      const init = { typeUrl, nonce, resources: all, removedResources: [...removed] };
      return asked(state.receive(create(DeltaDiscoveryResponseSchema, init), now));
    },
    expire: (now) => state.expire(now),
    held: () => state.held(typeUrl),
  };
}

/** Of types whose responses need not be whole. */
function stateOfTheWorld(): TimedClient {
  const asked = new Set<string>();
  const held = new Map<string, string>();
  const expiries = new Map<string, number>();
  let nonce = "";
  const forget = (name: string) => held.delete(name) && expiries.delete(name);
  const send = (): SubscriptionRequest[] => (asked.size > 0 ? [{ subscribe: [...asked], responseNonce: nonce }] : []);
  return {
    open() {
      nonce = "";
      return send();
    },
    ask(name) {
      asked.add(name);
      return send();
    },
    leave(name) {
      if (asked.size === 1 || !asked.delete(name)) return [];
      forget(name);
      return send();
    },
    receive(push, now) {
      nonce = push.nonce;
      for (const { name, version, ttlMs } of push.resources) {
        if (!asked.has(name)) continue;
        held.set(name, version);
        if (ttlMs === undefined) expiries.delete(name);
        else expiries.set(name, now + ttlMs);
      }
      return send();
    },
    expire(now) {
      for (const [name, at] of expiries) if (at <= now) forget(name);
    },
    held: () => held,
  };
}

/** A session and a client, and between them two queues that move when the test says, as the clock does. */
class Wire {
  readonly clock = new FakeClock();
  readonly client: TimedClient;
  readonly asked = new Set(["a", "b"]);
  map: ResourceMap = new Map();
  responses = 0;
  readonly #typeUrl: TypeUrl;
  readonly #protocol: Protocol;
  #session: Session;
  #toServer: SubscriptionRequest[] = [];
  #toClient: Push[] = [];

  constructor(typeUrl: TypeUrl, protocol: Protocol) {
    this.#typeUrl = typeUrl;
    this.#protocol = protocol;
    this.client = protocol === "delta" ? incremental(typeUrl) : stateOfTheWorld();
    for (const name of this.asked) this.client.ask(name);
    this.#session = this.#begin();
  }

  reconnect(): void {
    this.#session.close();
    this.#session = this.#begin();
  }

  publish(map: ResourceMap): void {
    this.map = map;
    this.#session.publish({ revision: 1, resources: new Map([[this.#typeUrl, map]]) });
  }

  ask(name: string): void {
    this.asked.add(name);
    this.#toServer.push(...this.client.ask(name));
  }

  leave(name: string): void {
    if (this.asked.size === 1 || !this.asked.delete(name)) return;
    this.#toServer.push(...this.client.leave(name));
  }

  deliverToServer(): void {
    const request = this.#toServer.shift();
    if (request) this.#session.receive(this.#typeUrl, request);
  }

  deliverToClient(): void {
    const push = this.#toClient.shift();
    if (push) this.#toServer.push(...this.client.receive(push, this.clock.now()));
  }

  /** Nothing waits any more. */
  drain(): void {
    while (this.#toServer.length + this.#toClient.length > 0) {
      this.deliverToServer();
      this.deliverToClient();
    }
  }

  advance(ms: number): void {
    this.clock.advance(ms);
    this.client.expire(this.clock.now());
  }

  /** What it asks for and does not hold as it should; or, of what there is nothing, still holds. */
  wrong(): string[] {
    const held = this.client.held();
    return [...this.asked].filter((name) => {
      const { version } = this.map.get(name) ?? {};
      // State of the world: there is no word for what is gone, and an empty runtime layer stands for one.
      return version === undefined ? this.#protocol === "delta" && held.has(name) : held.get(name) !== version;
    });
  }

  #begin(): Session {
    this.#toClient = [];
    this.#toServer = this.client.open();
    const session = new Session({
      id: "1",
      node: create(NodeSchema, { id: "n" }),
      protocol: this.#protocol,
      keepsTime: true,
      clock: this.clock,
      orderWaitMs: 100,
      responseBytes: 1_000,
      write: (_, push) => {
        this.responses += 1;
        this.#toClient.push(push);
      },
      events: {},
    });
    session.publish({ revision: 1, resources: new Map([[this.#typeUrl, this.map]]) });
    return session;
  }
}

function step(wire: Wire, random: (below: number) => number): void {
  const name = names[random(names.length)] ?? "a";
  switch (random(11)) {
    case 0:
    case 1: {
      const ttlMs = times[random(times.length)];
      // Its time is part of a resource's version.
      const resource: Resource = { name, version: `${random(3)} for ${ttlMs}`, value: new Uint8Array(100) };
      wire.publish(new Map(wire.map).set(name, { ...resource, ...(ttlMs !== undefined && { ttlMs }) }));
      break;
    }
    case 2: {
      const rest = new Map(wire.map);
      rest.delete(name);
      wire.publish(rest);
      break;
    }
    case 3:
      wire.ask(name);
      break;
    case 4:
      wire.leave(name);
      break;
    case 5:
      if (random(4) === 0) wire.reconnect();
      break;
    case 6:
    case 7:
      wire.deliverToClient();
      break;
    case 8:
      wire.deliverToServer();
      break;
    default:
      // Also past a resource's time, while what would save it waits in a queue.
      wire.advance(random(longest));
  }
}

const lives = (["runtime", "extensionConfig", "secret"] as const).flatMap((type) =>
  (["delta", "sotw"] as const).map((protocol) => ({ type, protocol })),
);

test.each(lives)("whatever came too late, in the end nothing that stands is dropped: $type, $protocol", (life) => {
  for (let seed = 1; seed <= 300; seed++) {
    const random = randomFrom(seed);
    const wire = new Wire(TypeUrl[life.type], life.protocol);
    const steps = random(80);
    for (let i = 0; i < steps; i++) step(wire, random);
    wire.drain();
    // What was dropped unheard is told of with the next heartbeat at the latest.
    wire.advance(longest / 3);
    wire.drain();

    const timed = [...wire.asked].flatMap((name) => wire.map.get(name)?.ttlMs ?? []);
    const before = wire.responses;
    for (let i = 0; i < 20; i++) {
      expect(wire.wrong(), `seed ${seed}, after ${i} s`).toEqual([]);
      wire.advance(1_000);
      // It was told before its time was over, and not once it had dropped it.
      expect(wire.wrong(), `seed ${seed}, at ${i + 1} s`).toEqual([]);
      wire.drain();
    }
    const beats = timed.reduce((sum, ttlMs) => sum + Math.ceil(20_000 / (ttlMs / 3)), 0);
    expect(wire.responses - before, `seed ${seed}: no more than it takes`).toBeLessThanOrEqual(beats);

    // Nobody is there any more: what has a time goes with it, and what has none stays.
    wire.advance(longest);
    const left = [...wire.asked].filter((name) => wire.map.has(name) && wire.client.held().has(name));
    expect(left, `seed ${seed}: without a control plane`).toEqual(
      [...wire.asked].filter((name) => wire.map.has(name) && wire.map.get(name)?.ttlMs === undefined),
    );
    wire.reconnect();
    wire.drain();
    expect(wire.wrong(), `seed ${seed}: with one again`).toEqual([]);
  }
});
