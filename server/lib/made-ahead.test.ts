import { expect, it } from "vitest";
import { ManualClock } from "../telemetry/testing/manual-clock.ts";
import { MadeAhead } from "./made-ahead.ts";

/** Something that is new whenever `second` changes, and is made when the test says so. */
function setUp() {
  const clock = new ManualClock(0);
  const made = new Map<number, { answer: Promise<string>; finish(): void }>();
  const of = { second: 0 };
  const ahead = new MadeAhead<string>({
    clock,
    begin: async () => {
      let entry = made.get(of.second);
      if (entry === undefined) {
        const { second } = of;
        const { promise, resolve } = Promise.withResolvers<string>();
        entry = { answer: promise, finish: () => resolve(`second ${second}`) };
        made.set(second, entry);
      }
      return entry;
    },
  });
  const finish = async (second: number) => {
    made.get(second)?.finish();
    await clock.advance(0);
  };
  return { clock, made, of, ahead, finish };
}

it("makes the next answer before a crowd asks, and gives the last one meanwhile", async () => {
  const { clock, made, of, ahead, finish } = setUp();
  const first = Array.from({ length: 4 }, () => ahead.ask());
  await finish(0);
  expect(await Promise.all(first)).toEqual(Array.from({ length: 4 }, () => "second 0"));
  of.second = 1;
  await clock.advance(100);
  expect([...made.keys()]).toEqual([0, 1]);
  expect(await ahead.ask()).toBe("second 0");
  await finish(1);
  expect(await ahead.ask()).toBe("second 1");
});

it("ends with the crowd, and gives who asks alone the newest", async () => {
  const { clock, made, of, ahead, finish } = setUp();
  const first = Array.from({ length: 4 }, () => ahead.ask());
  await finish(0);
  await Promise.all(first);
  await clock.advance(3000);
  expect(clock.pending).toBe(0);
  of.second = 1;
  await clock.advance(1000);
  expect([...made.keys()]).toEqual([0]);
  const alone = ahead.ask();
  await clock.advance(0);
  await finish(1);
  expect(await alone).toBe("second 1");
});

it("gives nobody an answer that is old, and tells everybody of a failure", async () => {
  const clock = new ManualClock(0);
  let answer: Promise<string> = Promise.resolve("good");
  const ahead = new MadeAhead<string>({ clock, begin: async () => ({ answer }) });
  await Promise.all(Array.from({ length: 4 }, () => ahead.ask()));
  answer = Promise.reject(new Error("no store"));
  answer.catch(() => undefined);
  await clock.advance(1700);
  await expect(ahead.ask()).rejects.toThrow("no store");
});
