import { expect, it } from "vitest";
import type { Change, Fault } from "../../server/contract/index.ts";
import { faultHistory } from "./fault-history.ts";

const fault = (id: string, changes: Partial<Fault> = {}): Fault => ({
  id: `default/ratings/${id}`,
  namespace: "default",
  service: "ratings",
  hostname: "ratings.default.svc.cluster.local",
  hosts: ["ratings"],
  through: ["mesh"],
  virtualService: "ratings",
  delay: null,
  abort: { percentage: 50, httpStatus: 503, grpcStatus: null },
  matches: [],
  author: "ana",
  startedAt: 1000,
  endsAt: null,
  ...changes,
});
const change = (revision: number, author: string, started: Fault[], ended: Fault[]): Change => ({
  revision,
  at: revision * 1000,
  author,
  words: [],
  summary: "",
  kind: started.length > 0 ? "fault-start" : "fault-end",
  faults: { started, ended },
  objects: [],
});
const told = (changes: Change[]) =>
  faultHistory(changes).map(({ fault: { id }, started, ended }) => [
    id.split("/")[2],
    started && `${started.by} ${started.at}`,
    `${ended.how} ${ended.by} ${ended.at}`,
  ]);

it("says of each fault who began it, and what ended it", () => {
  const changes = [
    change(4, "bob", [], [fault("b")]),
    change(3, "limpid (fuse)", [], [fault("a")]),
    change(2, "ana", [fault("b")], []),
    change(1, "ana", [fault("a")], []),
  ];
  expect(told(changes)).toEqual([
    ["b", "ana 2000", "person bob 4000"],
    ["a", "ana 1000", "fuse limpid (fuse) 3000"],
  ]);
});

it("leaves out what still burns, and knows what began before the history does", () => {
  expect(told([change(7, "ana", [fault("c")], []), change(6, "limpid (fuse)", [], [fault("a")])])).toEqual([
    ["a", "ana 1000", "fuse limpid (fuse) 6000"],
  ]);
  const byHand = fault("http-0", { author: null, startedAt: null });
  expect(told([change(6, "kubectl", [], [byHand])])).toEqual([["http-0", null, "person kubectl 6000"]]);
});

it("pairs a fault written by hand by what it does, for its rule moves", () => {
  const before = fault("http-0", { author: null, startedAt: null });
  const after = fault("http-1", { author: null, startedAt: null });
  expect(told([change(2, "eve", [], [after]), change(1, "eve", [before], [])])).toEqual([
    ["http-0", "eve 1000", "person eve 2000"],
  ]);
});

it("leaves out changes without faults", () => {
  const { faults: _, ...config } = change(1, "ana", [], []);
  expect(faultHistory([config])).toEqual([]);
});

it("tells a fault once that the fuse ends in the rules of the mesh and of a gateway, one after the other", () => {
  const inMesh = fault("a", { through: ["mesh"] });
  const atGateway = { ...inMesh, id: "default/bookinfo/a", virtualService: "bookinfo" };
  const both = { ...atGateway, through: ["default/bookinfo-gateway", "mesh"] };
  const changes = [
    change(3, "limpid (fuse)", [], [inMesh]),
    change(2, "limpid (fuse)", [], [atGateway]),
    change(1, "ana", [both], []),
  ];
  expect(told(changes)).toEqual([["a", "ana 1000", "fuse limpid (fuse) 2000"]]);
});
