import { expect, it } from "vitest";
import { askProxies } from "./ask.ts";

const io = { out() {}, err() {}, stdin: async () => "", fail() {}, env: {} };

it("says in a sentence that nobody answers, and what an address looks like", async () => {
  await expect(askProxies({ xds: "127.0.0.1:1" }, io, { contents: false })).rejects.toThrow(
    "error: no control plane answers at 127.0.0.1:1 (connection refused); is the mesh running?",
  );
  await expect(askProxies({ xds: "nowhere" }, io, { contents: false })).rejects.toThrow("must be <host>:<port>");
});
