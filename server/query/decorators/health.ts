import { healthOf } from "../../contract/index.ts";
import type { Decorator } from "../decorator.ts";

export const addHealth: Decorator = (graph) => {
  for (const part of [...graph.nodes, ...graph.edges]) part.health = healthOf(part.signals);
};
