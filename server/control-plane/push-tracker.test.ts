import { expect, test } from "vitest";
import type { PushStatus } from "../contract/index.ts";
import { PushStatus as PushStatusSchema, PushSummary } from "../contract/index.ts";
import { FakeClock } from "../lib/testing/fake-clock.ts";
import { type PushTarget, PushTracker } from "./push-tracker.ts";

const target = (id: string): PushTarget => ({ node: { id } });
const commit = (revision: number, at = 0) => ({ revision, at, author: "me", reason: "why" });

function setUp(limit?: number) {
  const clock = new FakeClock();
  const complete: PushStatus[] = [];
  const tracker = new PushTracker({ clock, limit, onComplete: (status) => complete.push(status) });
  const states = (revision: number) =>
    Object.fromEntries(tracker.get(revision)?.proxies.map(({ id, state, ms }) => [id, [state, ms]]) ?? []);
  return { clock, complete, tracker, states };
}

test("counts from the commit to each answer, and is complete with the last", () => {
  const { clock, tracker, complete, states } = setUp();
  const [a, b] = [target("a"), target("b")];
  clock.time = 1000;
  const commits = [commit(5, 990)];
  tracker.begin(commits);
  tracker.affect(commits, a, "A");
  clock.advance(3);
  tracker.settled(a, 5); // answered before everyone was sent to
  expect(tracker.get(5)?.complete).toBe(false);
  tracker.affect(commits, b, "B");
  tracker.seal(commits);
  clock.advance(4);
  tracker.refused(b, "CDS x: no");
  tracker.settled(b, 5);
  expect(states(5)).toEqual({ a: ["acked", 13], b: ["nacked", 17] });
  expect(complete).toMatchObject([{ revision: 5, complete: true, ms: 17, author: "me", reason: "why" }]);
  expect(PushStatusSchema.parse(tracker.get("latest"))).toEqual(complete[0]);
  tracker.settled(b, 9);
  expect(complete).toHaveLength(1);
});

test("an answer for a later revision answers for earlier ones, not the other way round", () => {
  const { tracker, states } = setUp();
  const a = target("a");
  for (const revision of [1, 2, 3]) {
    const commits = [commit(revision)];
    tracker.begin(commits);
    tracker.affect(commits, a, "A");
    tracker.seal(commits);
  }
  tracker.settled(a, 2);
  expect([1, 2, 3].map((revision) => states(revision).a?.[0])).toEqual(["acked", "acked", "pending"]);
});

test("revisions that go out together are answered together", () => {
  const { tracker, complete } = setUp();
  const commits = [commit(1), commit(2)];
  tracker.begin(commits);
  tracker.affect(commits, target("a"), "A");
  tracker.seal(commits);
  expect(complete).toEqual([]);
  tracker.gone(target("someone else"));
  expect(complete).toEqual([]);
});

test("who leaves holds up nothing, and counts again when back", () => {
  const { tracker, states, complete } = setUp();
  const a = target("a");
  const commits = [commit(1)];
  tracker.begin(commits);
  tracker.affect(commits, a, "A");
  tracker.seal(commits);
  tracker.gone(a);
  expect(states(1)).toEqual({ a: ["gone", null] });
  expect(complete).toMatchObject([{ complete: true }]);
  tracker.settled(target("a"), 1); // another stream of the same node
  expect(states(1).a?.[0]).toBe("acked");
  expect(complete).toHaveLength(1);
});

test("a proxy with several streams has answered when all have", () => {
  const { tracker, states } = setUp();
  const [cds, eds] = [target("a"), target("a")];
  const commits = [commit(1)];
  tracker.begin(commits);
  tracker.affect(commits, cds, "A");
  tracker.affect(commits, eds, "A");
  tracker.seal(commits);
  tracker.settled(cds, 1);
  expect(states(1).a?.[0]).toBe("pending");
  tracker.settled(eds, 1);
  expect(states(1).a?.[0]).toBe("acked");
});

test("a stream that has nothing to answer for, before the others of its proxy are sent to, completes nothing", () => {
  const { tracker, complete, states } = setUp();
  const [listeners, clusters] = [target("a"), target("a")];
  const commits = [commit(1)];
  tracker.begin(commits);
  tracker.affect(commits, listeners, "A");
  tracker.settled(listeners, 1);
  tracker.affect(commits, clusters, "A");
  tracker.seal(commits);
  expect(tracker.get(1)?.complete).toBe(false);
  tracker.settled(clusters, 1);
  expect(states(1)).toEqual({ a: ["acked", 0] });
  expect(complete).toHaveLength(1);
});

test("nobody affected: complete at once", () => {
  const { tracker, complete } = setUp();
  tracker.begin([commit(1)]);
  tracker.seal([commit(1)]);
  expect(complete).toMatchObject([{ revision: 1, ms: 0, proxies: [] }]);
});

test("keeps the last ones only", () => {
  const { tracker } = setUp(3);
  for (let revision = 1; revision <= 5; revision++) {
    tracker.begin([commit(revision)]);
    tracker.seal([commit(revision)]);
  }
  expect([1, 2, 3, 4, 5].map((revision) => tracker.get(revision)?.revision)).toEqual([undefined, undefined, 3, 4, 5]);
  expect(tracker.get("latest")?.revision).toBe(5);
});

test("waits for a revision that is yet to come, but not for ever", async () => {
  const { clock, tracker } = setUp();
  const a = target("a");
  const [completes, times] = [tracker.wait(1, 1000), tracker.wait(2, 500)];
  tracker.begin([commit(1)]);
  tracker.affect([commit(1)], a, "A");
  tracker.seal([commit(1)]);
  tracker.settled(a, 1);
  expect(await completes).toMatchObject({ revision: 1, complete: true });
  clock.advance(500);
  expect(await times).toBeUndefined();
  expect(clock.pending).toBe(0);
});

test("what is remembered is told with the newest first, and with those it did not reach as it should", () => {
  const { tracker } = setUp();
  const [a, b, c] = [target("a"), target("b"), target("c")];
  for (const revision of [1, 2]) {
    const commits = [commit(revision)];
    tracker.begin(commits);
    for (const [it, name] of [
      [a, "A"],
      [b, "B"],
      [c, "C"],
    ] as const) {
      tracker.affect(commits, it, name);
    }
    tracker.seal(commits);
  }
  tracker.refused(b, "CDS x: no (from DestinationRule default/x)");
  for (const it of [a, b]) tracker.settled(it, 2);
  const history = tracker.history().map((summary) => PushSummary.parse(summary));
  expect(history.map(({ revision, proxies, acked, complete }) => [revision, proxies, acked, complete])).toEqual([
    [2, 3, 1, false],
    [1, 3, 1, false],
  ]);
  expect(history[0]?.trouble.map(({ name, state, error }) => [name, state, error])).toEqual([
    ["B", "nacked", "CDS x: no (from DestinationRule default/x)"],
    ["C", "pending", null],
  ]);
});
