import { expect, it } from "vitest";
import { actorOf } from "./actor.ts";

const actor = (headers: Record<string, string>, query = "") => actorOf({ headers, query: new URLSearchParams(query) });

it.each([
  ["the dashboard's user", { "x-limpid-user": "J%C3%B6rg", "user-agent": "node" }, "", "Jörg", "node"],
  [
    "kubectl's field manager",
    { "user-agent": "kubectl/v1.36.0" },
    "fieldManager=kubectl-edit",
    "kubectl-edit",
    "kubectl-edit",
  ],
  ["kubectl where it sends none", { "user-agent": "kubectl/v1.36.0 (linux/amd64)" }, "", "kubectl", "kubectl"],
  ["nobody who is a library", { "user-agent": "Go-http-client/2.0" }, "", "unknown client", "Go-http-client"],
  ["nobody who is a browser", { "user-agent": "Mozilla/5.0 (X11)" }, "", "unknown client", "Mozilla"],
  ["nobody who says nothing", {}, "", "unknown client", "unknown"],
])("the author is %s", (_, headers, query, author, manager) => {
  expect(actor(headers, query)).toEqual({ author, manager });
});
