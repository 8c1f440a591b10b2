import type { ChildProcess } from "node:child_process";
import { writeFileSync } from "node:fs";
import { connect, createServer } from "node:net";
import { join } from "node:path";
import { bootstrapFor, type ProxyIdentity } from "../../server/fleet/bootstrap.ts";
import { bootstrapCertificate, certifyProxies } from "../../server/fleet/certificates.ts";
import { meshPorts, workloadPorts } from "../../server/fleet/ports.ts";
import { limpid, runLimpid, type TestMesh } from "../mesh.ts";

/** After the demo's workloads. */
const index = 20;
const port = 5432;

/** A TCP service beside the demo, with a proxy of its own, which productpage's proxy calls again and again. */
export async function startDatabase(mesh: TestMesh): Promise<{ stop(): void }> {
  const ports = workloadPorts(index, mesh.portOffset);
  const echo = createServer((socket) => {
    socket.on("error", () => {});
    socket.pipe(socket);
  });
  await new Promise<void>((resolve) => echo.listen(ports.app, "127.0.0.1", resolve));
  const identity: ProxyIdentity = {
    type: "sidecar",
    workload: "db-v1",
    namespace: "default",
    serviceAccount: "db",
    labels: { app: "db", version: "v1" },
    inboundPorts: [{ port: ports.inbound, app: ports.app }],
  };
  await apply(mesh, manifests(ports));
  await certifyProxies(mesh.data, [identity]);
  const file = join(mesh.data, "run", "db-v1.json");
  const certificate = bootstrapCertificate(mesh.data, identity.workload);
  writeFileSync(file, JSON.stringify(bootstrapFor(identity, ports, meshPorts(mesh.portOffset), certificate)));
  const proxy: ChildProcess = runLimpid(["sidecar", "-c", file]);
  const caller = workloadPorts(1, mesh.portOffset);
  const calling = setInterval(() => {
    talk(caller.ip, port + caller.serviceOffset);
    talk(ports.ip, ports.inbound); // past every proxy, in plain text
  }, 200);
  return {
    stop() {
      clearInterval(calling);
      proxy.kill("SIGTERM");
      echo.close();
    },
  };
}

function talk(host: string, to: number): void {
  const socket = connect(to, host, () => socket.write("select 1;"));
  socket.on("data", () => socket.end());
  socket.on("error", () => {});
  socket.setTimeout(2000, () => socket.destroy());
}

const manifests = ({ ip, inbound }: { ip: string; inbound: number }) => `
apiVersion: v1
kind: Service
metadata: { name: db, namespace: default }
spec: { selector: { app: db }, ports: [{ name: tcp, port: ${port} }] }
---
apiVersion: networking.istio.io/v1
kind: WorkloadEntry
metadata: { name: db-v1, namespace: default }
spec:
  address: ${ip}
  ports: { tcp: ${inbound} }
  labels: { app: db, version: v1, security.istio.io/tlsMode: istio }
  serviceAccount: db
`;

/** What `limpid apply` is given; throws what it says where it refuses. */
export async function apply(mesh: TestMesh, yaml: string): Promise<void> {
  const file = join(mesh.data, "apply.yaml");
  writeFileSync(file, yaml);
  const { code, err } = await limpid(["apply", "-f", file, "--server", mesh.configApi]);
  if (code !== 0) throw new Error(`limpid apply: ${err}`);
}
