import { expect, test } from "vitest";
import { FakeClock } from "../lib/testing/fake-clock.ts";
import { LargeMessages, type Place } from "./large-messages.ts";

function enter(messages: LargeMessages, of: object, bytes: number, entered: Place[]): void {
  const place = messages.ask(of, bytes, (later) => entered.push(later));
  if (place) entered.push(place);
}

test("so many bytes come in at a time, first come, first served, and one always may", () => {
  const messages = new LargeMessages({ clock: new FakeClock(), maxBytes: 100 });
  const entered: Place[] = [];
  enter(messages, {}, 500, entered);
  const second = {};
  for (const of of [second, {}, {}]) enter(messages, of, 50, entered);
  expect(entered).toHaveLength(1);
  messages.giveUp(second);
  entered[0]?.leave();
  entered[0]?.leave();
  expect(entered).toHaveLength(3);
  enter(messages, {}, 1, entered);
  expect(entered).toHaveLength(3);
  entered[1]?.leave();
  expect(entered).toHaveLength(4);
});

test("one that takes its time holds nobody up for long", () => {
  const clock = new FakeClock();
  const messages = new LargeMessages({ clock, maxBytes: 100, patienceMs: 1_000 });
  const entered: Place[] = [];
  for (let i = 0; i < 3; i++) enter(messages, {}, 100, entered);
  expect(entered).toHaveLength(1);
  clock.advance(1_000);
  expect(entered).toHaveLength(2);
});
