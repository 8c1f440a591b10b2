import { expect, it } from "vitest";
import { connectionsOnly } from "./flow.ts";

const connections = (sent: number, received: number) => ({ bytesPerSecond: { sent, received } });

it("sums what goes over connections, and is silent where requests are among them", () => {
  expect(connectionsOnly([connections(10, 1), connections(5, 2)])).toEqual({ sent: 15, received: 3 });
  expect(connectionsOnly([connections(10, 1), {}])).toBeUndefined();
  expect(connectionsOnly([])).toBeUndefined();
});
