import { expect, test } from "vitest";
import { FakeClock } from "../lib/testing/fake-clock.ts";
import { WriteGate } from "./write-gate.ts";

function setUp() {
  const clock = new FakeClock();
  const gate = new WriteGate<{ id: string }>({ clock, maxBytes: 100, smallBytes: 10, patienceMs: 500 });
  const went: string[] = [];
  const done = new Map<string, () => void>();
  const clients = { a: { id: "a" }, b: { id: "b" }, c: { id: "c" } };
  const write = (client: keyof typeof clients, name: string, bytes: number) =>
    gate.write(clients[client], {
      bytes,
      write(taken) {
        went.push(name);
        done.set(name, taken);
      },
    });
  return { clock, gate, went, write, clients, taken: (name: string) => done.get(name)?.() };
}

test("large messages wait until others are taken, small ones don't, and each client keeps its order", () => {
  const { went, write, taken } = setUp();
  write("a", "a1", 60);
  write("b", "b1", 60);
  write("b", "b2", 5);
  write("c", "c1", 5);
  expect(went).toEqual(["a1", "c1"]);
  taken("a1");
  expect(went).toEqual(["a1", "c1", "b1", "b2"]);
});

test("clients take turns", () => {
  const { went, write, taken } = setUp();
  write("a", "a1", 90);
  for (const name of ["b1", "b2"]) write("b", name, 90);
  write("c", "c1", 90);
  for (const name of ["a1", "b1", "c1", "b2"]) taken(name);
  expect(went).toEqual(["a1", "b1", "c1", "b2"]);
});

test("a client that reads nothing holds nobody up for long, and one that has gone gets nothing", () => {
  const { clock, gate, went, write, clients } = setUp();
  write("a", "a1", 90);
  write("b", "b1", 90);
  write("c", "c1", 90);
  gate.drop(clients.b);
  clock.advance(500);
  expect(went).toEqual(["a1", "c1"]);
});

test("what is larger than the gate goes alone", () => {
  const { went, write, taken } = setUp();
  write("a", "a1", 900);
  write("b", "b1", 20);
  expect(went).toEqual(["a1"]);
  taken("a1");
  expect(went).toEqual(["a1", "b1"]);
});
