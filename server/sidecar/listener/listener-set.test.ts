import { afterEach, expect, it } from "vitest";
import { eventually, Fixtures, listenerFrom, listenerJson } from "../test-plane.ts";

const fixtures = new Fixtures();
afterEach(() => fixtures.close());

const at = (name: string, address: string, port: number) =>
  listenerFrom({ ...listenerJson({}), name, address: { socket_address: { address, port_value: port } } });

it("an address that is not this machine's keeps no other listener from being ready", async () => {
  const { plane } = await fixtures.plane({});
  // RFC 5737: nobody's.
  expect(plane.setListener(at("nobody", "192.0.2.1", 8080))).toEqual([]);
  await plane.whenListening();
  expect(plane.ready).toBe(true);
  expect(plane.boundListeners().map(({ name }) => name)).toEqual(["test"]);
});

it("a port that is taken is bound as soon as it is free", async () => {
  const other = await fixtures.plane({});
  const { plane } = await fixtures.plane({});
  expect(plane.setListener(at("late", "127.0.0.1", other.port))).toEqual([]);
  await new Promise((resolve) => setImmediate(resolve));
  expect(plane.ready).toBe(false);
  other.plane.removeListener("test");
  await eventually(() => plane.boundListeners().some(({ name }) => name === "late"));
});
