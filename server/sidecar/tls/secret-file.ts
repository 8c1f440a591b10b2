import { type FSWatcher, readFileSync, watch } from "node:fs";
import { basename, dirname } from "node:path";
import { createRegistry, fromJson, type JsonValue } from "@bufbuild/protobuf";
import { anyUnpack } from "@bufbuild/protobuf/wkt";
import { type Secret, SecretSchema } from "../../gen/proto/envoy/extensions/transport_sockets/tls/v3/secret_pb.js";
import { DiscoveryResponseSchema } from "../../gen/proto/envoy/service/discovery/v3/discovery_pb.js";

const registry = createRegistry(SecretSchema);

/** The one secret of a file in the form of a discovery response, in JSON. Throws an Error that names the file, and nothing that is in it. */
export function readSecretFile(path: string): Secret {
  let text: string;
  try {
    text = readFileSync(path, "utf8");
  } catch (error) {
    throw new Error(`${path} cannot be read (${(error as NodeJS.ErrnoException).code})`);
  }
  let secrets: Secret[];
  try {
    const { resources } = fromJson(DiscoveryResponseSchema, JSON.parse(text) as JsonValue, { registry });
    secrets = resources.flatMap((any) => anyUnpack(any, SecretSchema) ?? []);
  } catch {
    throw new Error(`${path} is no discovery response in JSON`);
  }
  const [secret, ...more] = secrets;
  if (secret === undefined || more.length > 0) throw new Error(`${path} must hold one Secret`);
  return secret;
}

/** Calls when another file has taken the name. */
export function watchFile(path: string, changed: () => void): FSWatcher {
  const name = basename(path);
  const watcher = watch(dirname(path), { persistent: false }, (_, file) => {
    if (file === null || file === name) changed();
  });
  watcher.on("error", () => watcher.close());
  return watcher;
}
