import { type Runtime, runtimeValue } from "../runtime.ts";
import type { AdminSources, Reply } from "./handlers.ts";

/** Every key with its value in each layer and the one that holds. https://www.envoyproxy.io/docs/envoy/latest/operations/admin#get--runtime */
export function runtimeReply(runtime: Runtime): Reply {
  const { layers } = runtime;
  const entries = runtime.keys.map((key) => [
    key,
    {
      layer_values: layers.map(({ values }) => values.get(key)?.text ?? ""),
      final_value: runtime.get(key)?.text ?? "",
    },
  ]);
  const body = { layers: layers.map(({ name }) => name), entries: Object.fromEntries(entries) };
  return { json: true, body: `${JSON.stringify(body, null, 1)}\n` };
}

/** More keys than an operator would set. */
const maxKeys = 1_000;

/** Sets values of the admin's own layer; an empty one is taken away. */
export function modifyRuntime(
  { values, adminLayer, modified }: AdminSources["runtime"],
  query: URLSearchParams,
): Reply {
  if (query.size === 0)
    return {
      status: 400,
      body: "usage: /runtime_modify?key1=value1&key2=value2&keyN=valueN\nor send the parameters as form values\nuse an empty value to remove a previously added override",
    };
  if (adminLayer === undefined) return { status: 503, body: "No admin layer specified" };
  const layer = new Map(values.layers.find(({ name }) => name === adminLayer)?.values);
  for (const [key, text] of query) {
    if (text === "") layer.delete(key);
    else layer.set(key, runtimeValue(text));
  }
  if (layer.size > maxKeys) return { status: 400, body: `more than ${maxKeys} keys\n` };
  values.setLayer(adminLayer, layer);
  modified?.(adminLayer, layer);
  return { body: "OK\n" };
}
