// A collector's writes without the collector: batch after batch into the file named by the first argument, until killed.
import { openSqliteTelemetryStore } from "../sqlite-store.ts";
import { batch, edge, rollup, sample } from "./records.ts";

const [path = "", start = "0"] = process.argv.slice(2);
const store = await openSqliteTelemetryStore({ path });
for (let second = Number(start); ; second++) {
  const rollups = ["v1", "v2", "v3"].map((version) => rollup(edge("productpage", `reviews/${version}`), second));
  const samples = [sample(edge("productpage", "reviews/v1"), second * 1000)];
  await store.write({ ...batch({ rollups, samples }), id: second * 1000 });
  if (second % 50 === 0) process.stdout.write(`${second}\n`);
  await new Promise((resolve) => setImmediate(resolve));
}
