import { afterEach, expect, it } from "vitest";
import { TimerWheel, WheelTimer } from "./timer-wheel.ts";

let time = 1000;
const wheel = () => {
  time = 1000;
  const made = new TimerWheel(10, 8, () => time);
  made.stop();
  return made;
};
let last: TimerWheel | undefined;
afterEach(() => last?.stop());

it("fires late by at most a tick, never early, also past a turn of the wheel", () => {
  const fired: string[] = [];
  const w = wheel();
  last = w;
  const arm = (name: string, ms: number) => w.arm(new WheelTimer(() => fired.push(`${name}@${time}`)), ms);
  arm("15", 15);
  arm("100", 100);
  arm("500", 500);
  for (; time <= 1520; time += 5) w.advance();
  expect(fired).toEqual(["15@1020", "100@1100", "500@1500"]);
});

it("catches up after a long pause, and forgets what was cancelled", () => {
  const fired: number[] = [];
  const w = wheel();
  last = w;
  const timers = [20, 30, 400].map((ms) => {
    const timer = new WheelTimer(() => fired.push(ms));
    w.arm(timer, ms);
    return timer;
  });
  timers[1]?.cancel();
  time = 5000;
  w.advance();
  expect(fired.sort()).toEqual([20, 400]);
});

it("a timer may cancel its neighbours and arm itself again while it fires", () => {
  const fired: string[] = [];
  const w = wheel();
  last = w;
  const b = new WheelTimer(() => fired.push("b"));
  const a = new WheelTimer(() => {
    fired.push("a");
    b.cancel();
    if (fired.length < 2) w.arm(a, 10);
  });
  const c = new WheelTimer(() => fired.push("c"));
  for (const timer of [a, b, c]) w.arm(timer, 10);
  time = 1010;
  w.advance();
  expect(fired).toEqual(["a", "c"]);
  time = 1020;
  w.advance();
  expect(fired).toEqual(["a", "c", "a"]);
});

it("a timer that arms its neighbour again neither loses it nor walks into another slot", () => {
  const fired: string[] = [];
  const w = wheel();
  last = w;
  const neighbour = new WheelTimer(() => fired.push(`neighbour@${time}`));
  w.arm(
    new WheelTimer(() => {
      fired.push(`first@${time}`);
      w.arm(neighbour, 50);
    }),
    20,
  );
  w.arm(neighbour, 20);
  for (time = 1020; time <= 1100; time += 10) w.advance();
  expect(fired).toEqual(["first@1020", "neighbour@1070"]);
});

it("what is armed while the wheel catches up fires at its time, not a turn later", () => {
  const fired: string[] = [];
  const w = wheel();
  last = w;
  const again = new WheelTimer(() => fired.push(`again@${time}`));
  w.arm(new WheelTimer(() => w.arm(again, 1)), 20);
  time = 1060;
  w.advance();
  for (time = 1070; time <= 1100; time += 10) w.advance();
  expect(fired).toEqual(["again@1070"]);
});
