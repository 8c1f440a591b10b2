import { expect, it } from "vitest";
import type { GraphEdge } from "../../server/contract/index.ts";
import { inFlight, Particles, travelSec } from "./particles.ts";

const signals = {
  requestRate: 40,
  errorShare: 0.25,
  clientErrorShare: 0,
  latencyMsP50: 5,
  latencyMsP90: 9,
  latencyMsP95: 9,
  latencyMsP99: 9,
};
const edge = (id: string, over: Partial<typeof signals> = {}): GraphEdge => ({
  id,
  source: "a",
  target: "b",
  service: "b",
  to: null,
  protocol: "http",
  health: "healthy",
  signals: { ...signals, ...over },
  reported: { source: null, destination: null },
  codes: {},
  flags: {},
  mtls: 0,
});
const run = (edges: GraphEdge[], seconds: number) => {
  const particles = new Particles();
  let [failed, launched] = [0, 0];
  const known = new Set<object>();
  for (let time = 0; time < seconds; time += 0.03) {
    particles.step(edges, 0.03);
    for (const particle of particles.all) {
      if (known.has(particle)) continue;
      known.add(particle);
      launched += 1;
      failed += Number(particle.failed);
    }
  }
  return { particles, launched, share: failed / launched };
};

it("lets exactly the error share fail", () => {
  const { launched, share } = run([edge("e")], 60);
  expect(launched).toBeGreaterThan(200);
  expect(share).toBeCloseTo(0.25, 2);
});

it("is slower for a slower call and denser for more requests", () => {
  expect(travelSec(500)).toBeGreaterThan(travelSec(5));
  expect(travelSec(60_000)).toBe(4);
  expect(inFlight(100)).toBeGreaterThan(inFlight(5));
  expect(inFlight(0)).toBe(0);
});

it("launches nothing without traffic", () => expect(run([edge("e", { requestRate: 0 })], 5).launched).toBe(0));

it("stays bounded however large the graph", () => {
  const edges = Array.from({ length: 3000 }, (_, i) => edge(`e${i}`));
  expect(run(edges, 6).particles.all.length).toBeLessThanOrEqual(480);
});

it("drops what flies on an edge that is gone", () => {
  const { particles } = run([edge("e")], 3);
  particles.step([], 0.2);
  expect(particles.all.length).toBe(0);
});
