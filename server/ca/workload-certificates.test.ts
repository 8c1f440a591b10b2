import { expect, test } from "vitest";
import { silentLogger } from "../lib/logger.ts";
import { FakeClock } from "../lib/testing/fake-clock.ts";
import type { IssuedCertificate, IssueRequest } from "./certificate-authority.ts";
import { spiffeIdOf } from "./testing/tls.ts";
import { WorkloadCertificates, type WorkloadCertificatesOptions } from "./workload-certificates.ts";

const hour = 3_600_000;
const [a, b, c] = [spiffeIdOf("a"), spiffeIdOf("b"), spiffeIdOf("c")];

/** An authority that numbers what it issues, and fails on demand. */
function setUp(options: Partial<WorkloadCertificatesOptions> = {}) {
  const clock = new FakeClock();
  const test = { failing: false, issued: 0, renewed: 0, failed: 0 };
  let count = 0;
  const issue = async ({ spiffeUri, ttlSec }: IssueRequest): Promise<IssuedCertificate> => {
    if (test.failing) throw new Error("not now");
    const serial = String(++count);
    const notAfterMs = clock.now() + ttlSec * 1000;
    return { spiffeUri, keyPem: "key", chainPem: "chain", serial, notBeforeMs: clock.now(), notAfterMs };
  };
  const certificates = new WorkloadCertificates({
    authority: { issue },
    clock,
    logger: silentLogger,
    random: () => 0.5,
    events: {
      issued: () => void test.issued++,
      renewed: () => void test.renewed++,
      failed: () => void test.failed++,
    },
    ...options,
  });
  const settle = () => new Promise((done) => setImmediate(done));
  const advance = async (ms: number) => {
    clock.advance(ms);
    await settle();
  };
  const hold = (spiffeUri: string) => {
    const seen: (string | undefined)[] = [];
    const lease = certificates.hold(spiffeUri, () => seen.push(lease.current()?.serial));
    return { ...lease, seen };
  };
  return { test, clock, certificates, hold, settle, advance };
}

test("one certificate for all of an identity, told to each of them", async () => {
  const { hold, settle, test, certificates } = setUp();
  const [first, second, other] = [hold(a), hold(a), hold(b)];
  expect(first.current()).toBeUndefined();
  await settle();
  expect([first.seen, second.seen, other.seen]).toEqual([["1"], ["1"], ["2"]]);
  expect(first.current()).toBe(second.current());
  expect(hold(a).seen).toEqual([]); // it has it already
  expect(test).toMatchObject({ issued: 2, renewed: 0 });
  expect(certificates.nextExpiryMs()).toBe(24 * hour);
});

test("is renewed at half of its life, give or take a tenth of that", async () => {
  const { hold, settle, advance, test } = setUp();
  const holder = hold(a);
  await settle();
  await advance(12 * hour - 1);
  expect(holder.seen).toEqual(["1"]);
  await advance(1);
  expect(holder.seen).toEqual(["1", "2"]);
  await advance(12 * hour);
  expect(holder.seen).toEqual(["1", "2", "3"]);
  expect(test).toMatchObject({ issued: 3, renewed: 2 });
  for (const [random, hours] of [
    [0, 10.8],
    [1, 13.2],
  ] as const) {
    const early = setUp({ random: () => random });
    const one = early.hold(a);
    await early.settle();
    await early.advance(hours * hour - 1);
    expect(one.seen).toEqual(["1"]);
    await early.advance(1);
    expect(one.seen).toEqual(["1", "2"]);
  }
});

test("when issuing fails it is tried again, and the old one serves until it ends", async () => {
  const { hold, settle, advance, test } = setUp({ random: () => 1 });
  const holder = hold(a);
  await settle();
  test.failing = true;
  await advance(13.2 * hour);
  for (const waitMs of [500, 1_000, 2_000, 4_000]) {
    const before = test.failed;
    await advance(waitMs - 1);
    expect(test.failed).toBe(before);
    await advance(1);
    expect(test.failed).toBe(before + 1);
  }
  expect(holder.current()?.serial).toBe("1");
  for (let minute = 0; minute < 11 * 60; minute++) await advance(60_000);
  expect(holder.current()).toBeUndefined();
  test.failing = false;
  await advance(60_000);
  expect(holder.seen).toEqual(["1", "2"]);
  expect(holder.current()?.serial).toBe("2");
});

test("a first one that cannot be issued comes when it can", async () => {
  const { hold, settle, advance, test } = setUp();
  test.failing = true;
  const holder = hold(a);
  await settle();
  test.failing = false;
  await advance(500);
  expect(holder.seen).toEqual(["1"]);
  expect(test).toMatchObject({ failed: 1, issued: 1, renewed: 0 });
});

test("is kept a while after the last holder left, and then forgotten with its timers", async () => {
  const { hold, settle, advance, clock, certificates } = setUp({ idleMs: 1_000 });
  const [first, second] = [hold(a), hold(a)];
  await settle();
  first.release();
  first.release();
  second.release();
  await advance(999);
  const again = hold(a);
  expect(again.current()?.serial).toBe("1");
  await advance(1_000);
  expect(again.current()?.serial).toBe("1");
  again.release();
  await advance(1_000);
  expect([certificates.size, clock.pending]).toEqual([0, 0]);
  expect(certificates.nextExpiryMs()).toBeUndefined();
});

test("of more identities than are kept, those let go first are dropped", async () => {
  const { hold, settle, certificates } = setUp({ limit: 2 });
  const [one, two, three] = [hold(a), hold(b), hold(c)];
  await settle();
  expect(certificates.size).toBe(3); // all are held
  two.release();
  expect(certificates.size).toBe(2);
  one.release();
  expect(hold(a).current()?.serial).toBe("1");
  expect(three.current()?.serial).toBe("3");
  hold(b);
  await settle();
  expect(hold(b).current()?.serial).toBe("4");
});

test("who left while it was being issued is not told, nor does a failing holder keep others from it", async () => {
  const { hold, settle, certificates, clock } = setUp({ idleMs: 0 });
  const left = hold(a);
  certificates.hold(b, () => {
    throw new Error("oops");
  });
  const stays = hold(b);
  left.release();
  clock.advance(0);
  await settle();
  expect([left.seen, stays.seen]).toEqual([[], ["2"]]);
  certificates.stop();
  expect(clock.pending).toBe(0);
});
