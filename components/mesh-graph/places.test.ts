import { expect, it } from "vitest";
import { keepPlaces, placesOf, rememberPlaces, withRemembered } from "./places.ts";
import { noPositions } from "./positions.ts";

function storage(first?: string) {
  const kept = new Map<string, string>(first === undefined ? [] : [["limpid.places", first]]);
  return {
    getItem: (key: string) => kept.get(key) ?? null,
    setItem: (key: string, value: string) => void kept.set(key, value),
  };
}
const apps = { kind: "app", direction: "right" } as const;
const services = { kind: "service", direction: "right" } as const;

it("remembers what was dragged by view and direction, and forgets by view", () => {
  const kept = storage();
  rememberPlaces(kept, apps, new Map([["default/a", { x: 1, y: 2 }]]));
  rememberPlaces(kept, apps, new Map([["default/b", { x: 3, y: 4 }]]));
  rememberPlaces(kept, services, new Map([["default/a", { x: 5, y: 6 }]]));
  expect(placesOf(kept, apps)).toEqual({ "default/a": { x: 1, y: 2 }, "default/b": { x: 3, y: 4 } });
  expect(placesOf(kept, { ...apps, direction: "down" })).toEqual({});
  keepPlaces(kept, apps, {});
  expect(placesOf(kept, apps)).toEqual({});
  expect(placesOf(kept, services)).toEqual({ "default/a": { x: 5, y: 6 } });
});

it("moves only what is there, and takes nothing that is no place", () => {
  const kept = storage('{"app": {"a": {"x": 1, "y": 2}, "b": {"x": "far"}, "gone": {"x": 9, "y": 9}}}');
  const laidOut = { ...noPositions(), points: new Map(["a", "b"].map((id) => [id, { x: 0, y: 0 }])) };
  expect([...withRemembered(kept, "app", laidOut).points]).toEqual([
    ["a", { x: 1, y: 2 }],
    ["b", { x: 0, y: 0 }],
  ]);
  for (const odd of ["{", "[1]", '{"app": 7}', "null"]) expect(placesOf(storage(odd), apps)).toEqual({});
});

it("goes without where nothing can be kept", () => {
  const full = {
    getItem: () => {
      throw new Error("off");
    },
    setItem: () => {
      throw new Error("full");
    },
  };
  rememberPlaces(full, apps, new Map([["a", { x: 1, y: 2 }]]));
  expect(placesOf(full, apps)).toEqual({});
});
