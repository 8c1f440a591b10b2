import { expect, test } from "vitest";
import { meshPorts, parsePortOffset, portsBlockedByBrowsers, workloadPorts } from "./ports.ts";

test.each(["linux", "darwin"] as const)(
  "no two listeners of one mesh, or of two with another offset, share an address (%s)",
  (platform) => {
    const listeners = [0, 1000].flatMap((offset) => [
      ...Object.entries(meshPorts(offset)).flatMap(([name, port]) => (name === "offset" ? [] : [`127.0.0.1:${port}`])),
      ...[0, 1, 2, 3, 4, 5, 6].flatMap((index) => {
        const { ip, app, inbound, outbound, serviceOffset: _, ...rest } = workloadPorts(index, offset, platform);
        // The gateway (0) has neither an application nor sidecar listeners.
        const own = index === 0 ? Object.values(rest) : [inbound, outbound, ...Object.values(rest)];
        return [...own.map((port) => `${ip}:${port}`), ...(index === 0 ? [] : [`127.0.0.1:${app}`])];
      }),
    ]);
    expect(new Set(listeners).size).toBe(listeners.length);
  },
);

test("Linux gives each workload an address of its own, with Istio's ports", () => {
  expect(workloadPorts(3, 0, "linux")).toMatchObject({
    ip: "127.0.1.3",
    inbound: 9080,
    outbound: 15_001,
    admin: 15_000,
  });
});

test("the same port of a TCP service is bound by every sidecar, each somewhere else", () => {
  for (const platform of ["linux", "darwin"] as const) {
    const bound = [1, 2, 3, 4, 5, 6].map((index) => workloadPorts(index, 0, platform));
    expect(new Set(bound.map(({ ip, serviceOffset }) => `${ip}:${3306 + serviceOffset}`)).size).toBe(6);
  }
});

test.each(["-1", "x", "1.5", "40001"])("offset %j is refused with what would be right", (value) => {
  expect(() => parsePortOffset(value)).toThrow(`port offset "${value}": must be a whole number from 0 to 40000`);
});

test.each([
  ["2000", "the ingress gateway on port 10080", 2001],
  ["3000", "the dashboard on port 6000", 3001],
  ["3668", "the dashboard on port 6668", 3670],
])("offset %j is refused, because browsers would refuse %s", (value, where, next) => {
  const problem = `port offset "${value}": puts ${where}, which browsers refuse to open; take another, such as ${next}`;
  expect(() => parsePortOffset(value)).toThrow(problem);
  expect(parsePortOffset(String(next))).toBe(next);
});

test("what stands for the browsers' list is on it", async () => {
  for (const port of portsBlockedByBrowsers) {
    await expect(fetch(`http://127.0.0.1:${port}`)).rejects.toMatchObject({ cause: { message: "bad port" } });
  }
});
