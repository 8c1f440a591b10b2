import { create } from "@bufbuild/protobuf";
import { expect, test } from "vitest";
import { NodeSchema } from "../gen/proto/envoy/config/core/v3/base_pb.js";
import {
  type DeltaDiscoveryRequest,
  type DeltaDiscoveryResponse,
  DeltaDiscoveryResponseSchema,
} from "../gen/proto/envoy/service/discovery/v3/discovery_pb.js";
import { randomFrom } from "../lib/testing/random.ts";
import { DeltaState } from "./client/delta-state.ts";
import { kindOf } from "./resource-kinds.ts";
import { Subscription } from "./subscription.ts";
import { type Resource, TypeUrl } from "./types.ts";

const names = ["a", "b", "c", "d", "e", "f"];

/** Our client and our server with the wire between them: two queues that move when the test says. */
class Wire {
  readonly bad = new Set<string>();
  namesCulprits = true;
  map = new Map<string, Resource>();
  readonly typeUrl: TypeUrl;
  readonly foldAbove: number | undefined;
  subscription: Subscription;
  readonly applied = new Map<string, string>();
  readonly client: DeltaState;
  toServer: DeltaDiscoveryRequest[] = [];
  toClient: DeltaDiscoveryResponse[] = [];
  responses = 0;

  constructor(typeUrl: TypeUrl, foldAbove?: number) {
    this.typeUrl = typeUrl;
    this.foldAbove = foldAbove;
    this.subscription = new Subscription(typeUrl, "delta", foldAbove);
    const handler = {
      apply: ({ added, removed }: { added: { name: string; version: string }[]; removed: string[] }) => {
        const refused = added.filter(({ name, version }) => this.bad.has(`${name}@${version}`));
        // Envoy applies nothing of a response when it cannot name the culprit.
        const all = refused.length > 0 && !this.namesCulprits;
        for (const { name, version } of added) {
          if (!all && !refused.some((resource) => resource.name === name)) this.applied.set(name, version);
        }
        if (!all) for (const name of removed) this.applied.delete(name);
        return new Map((all ? added : refused).map(({ name }) => [name, "bad"]));
      },
    };
    this.client = new DeltaState(create(NodeSchema, { id: "n" }), { [typeUrl]: handler });
  }

  reconnect(): void {
    this.client.close();
    this.subscription = new Subscription(this.typeUrl, "delta", this.foldAbove);
    this.toClient = [];
    this.toServer = this.client.open();
  }

  deliverToServer(): void {
    const request = this.toServer.shift();
    if (!request) return;
    const isNack = request.errorDetail !== undefined;
    this.subscription.receive(
      {
        subscribe: request.resourceNamesSubscribe,
        unsubscribe: request.resourceNamesUnsubscribe,
        initialVersions: new Map(Object.entries(request.initialResourceVersions)),
        responseNonce: request.responseNonce,
        error: isNack ? (this.namesCulprits ? request.errorDetail?.message : "something") : undefined,
      },
      1,
    );
  }

  deliverToClient(): void {
    const response = this.toClient.shift();
    if (response) this.toServer.push(...this.client.receive(response, 0));
  }

  push(): void {
    const push = this.subscription.next(this.map, "add", 250) ?? this.subscription.next(this.map, "remove");
    if (!push) return;
    this.responses += 1;
    this.toClient.push(
      create(DeltaDiscoveryResponseSchema, {
        typeUrl: this.typeUrl,
        nonce: push.nonce,
        removedResources: [...push.removed],
        resources: push.resources.map(({ name, version, value }) => ({
          name,
          version,
          resource: { typeUrl: this.typeUrl, value },
        })),
      }),
    );
  }

  settle(): void {
    for (let i = 0; i < 500; i++) {
      this.push();
      this.deliverToClient();
      this.deliverToServer();
    }
  }
}

/** One random step of a life: config changes, names come and go, messages arrive late, the stream breaks. */
function step(wire: Wire, random: (below: number) => number): void {
  const name = names[random(names.length)] ?? "a";
  const version = String(random(4));
  const { typeUrl } = wire;
  switch (random(10)) {
    case 0:
    case 1: {
      wire.map = new Map(wire.map).set(name, { name, version, value: new Uint8Array(100) });
      break;
    }
    case 2: {
      wire.map = new Map(wire.map);
      wire.map.delete(name);
      break;
    }
    case 3: {
      // One, or several at once, as a client asks that learns of many.
      const more = random(3) === 0 ? names.slice(random(names.length)) : [];
      wire.toServer.push(...wire.client.subscribe(typeUrl, [name, ...more]));
      break;
    }
    case 4: {
      wire.toServer.push(...wire.client.unsubscribe(typeUrl, [name]));
      if (!wire.client.held(typeUrl).has(name)) wire.applied.delete(name); // what is forgotten is dropped
      break;
    }
    case 5: {
      if (random(4) === 0) wire.reconnect();
      break;
    }
    case 6:
      wire.deliverToClient();
      break;
    case 7:
      wire.deliverToServer();
      break;
    default:
      wire.push();
  }
}

const lives = [
  { namesCulprits: true, wildcard: false, badShare: 0 },
  { namesCulprits: true, wildcard: false, badShare: 4 },
  { namesCulprits: false, wildcard: false, badShare: 4 },
  { namesCulprits: true, wildcard: true, badShare: 4 },
  { namesCulprits: false, wildcard: true, badShare: 4 },
];

const kinds = [
  { type: "cluster", foldAbove: undefined },
  { type: "cluster", foldAbove: 0 },
  { type: "virtualHost", foldAbove: 1 },
  { type: "runtime", foldAbove: 0 },
  { type: "extensionConfig", foldAbove: undefined },
  { type: "secret", foldAbove: 1 },
  { type: "endpoint", foldAbove: 0 },
  { type: "listener", foldAbove: 0 },
  { type: "route", foldAbove: 1 },
] as const;

/** Our client asks for everything only of types that have a wildcard of old. */
const cases = kinds.flatMap((kind) =>
  lives
    .filter(({ wildcard }) => !wildcard || kindOf(TypeUrl[kind.type])?.wildcardByDefault)
    .map((life) => ({ ...kind, ...life })),
);

test.each(cases)(
  "whatever happened, in the end both sides agree: $type $foldAbove $namesCulprits $wildcard $badShare",
  (options) => {
    for (let seed = 1; seed <= 300; seed++) {
      const random = randomFrom(seed);
      const wire = new Wire(TypeUrl[options.type], options.foldAbove);
      wire.namesCulprits = options.namesCulprits;
      for (const name of names) if (options.badShare > 0 && random(options.badShare) === 0) wire.bad.add(`${name}@2`);
      wire.client.subscribe(wire.typeUrl, options.wildcard ? "*" : ["a", "b"]);
      wire.reconnect();
      const steps = random(80);
      for (let i = 0; i < steps; i++) step(wire, random);
      wire.settle();

      const before = wire.responses;
      wire.settle();
      expect(wire.responses, `seed ${seed}: silence`).toBe(before);
      for (const name of names) {
        const wanted = wire.subscription.covers(name) ? wire.map.get(name) : undefined;
        const held = wire.client.held(wire.typeUrl).get(name);
        const where = `seed ${seed}, ${name}`;
        expect(wire.applied.get(name), `${where}: held is applied`).toBe(held);
        if (wanted && wire.bad.has(`${name}@${wanted.version}`)) {
          expect(wire.subscription.refused(name)?.version, `${where}: told as refused`).toBe(wanted.version);
          expect(held, `${where}: never in force`).not.toBe(wanted.version);
        } else {
          expect(held, `${where}: in force`).toBe(wanted?.version);
          if (wanted) expect(wire.subscription.accepted(name)?.version, `${where}: believed`).toBe(held);
        }
      }
    }
  },
);
