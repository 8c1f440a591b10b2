// The dashboard's API in a process of its own, as it runs beside a collector: `telemetry-dashboard.ts <data folder> <port offset>`; tells its port.
import { once } from "node:events";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { createApi } from "../../server/dashboard/api.ts";
import { createDashboard } from "../../server/dashboard/dashboard.ts";
import { createDashboardServer } from "../../server/dashboard/http-server.ts";
import { everybodyIs } from "../../server/dashboard/testing/callers.ts";

const [data = "", offset = "0"] = process.argv.slice(2);
const dashboard = createDashboard({
  portOffset: Number(offset),
  data,
  root: join(import.meta.dirname, "../.."),
  telemetryDatabase: process.env.LIMPID_TELEMETRY_DATABASE || undefined,
  onError: console.error,
});
const server = createDashboardServer({
  api: createApi(dashboard),
  callers: everybodyIs(),
  place: { port: 3000, secure: false },
  addresses: async () => undefined,
  pages: (_, response) => response.end(),
  allowedHosts: [],
  onError: () => {},
});
server.listen(0, "127.0.0.1");
await once(server, "listening");
process.send?.((server.address() as AddressInfo).port);
process.once("disconnect", () => process.exit());
