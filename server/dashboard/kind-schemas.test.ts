import { expect, onTestFinished, test } from "vitest";
import { createConfigApiClient } from "../config/api-client.ts";
import { FieldSchema } from "../contract/index.ts";
import { startApi } from "../control-plane/api/testing/api-harness.ts";
import { kindList, kindSchema } from "./kind-schemas.ts";

test("every kind has a schema, with what `kubectl explain` says of its fields", async () => {
  const api = await startApi();
  onTestFinished(() => api.close());
  const client = createConfigApiClient(api.url);
  for (const { kind, apiVersion } of kindList().kinds) {
    const found = await kindSchema(client, kind);
    expect(found).toMatchObject({ kind, apiVersion });
    expect(FieldSchema.parse(found.schema)).toEqual(found.schema);
    expect(found.schema.properties?.metadata?.properties?.name?.description).toBe("Unique within the namespace.");
  }
  const { schema } = await kindSchema(client, "VirtualService");
  const http = schema.properties?.spec?.properties?.http?.items?.properties;
  expect(http?.timeout?.description).toContain("whole request");
  expect(http?.match?.items?.properties?.headers?.values?.properties?.exact?.description).toContain("byte for byte");
  expect(http?.redirect?.properties?.redirectCode?.enum).toEqual([0, 301, 302, 303, 307, 308]);
  const gateway = (await kindSchema(client, "Gateway")).schema.properties?.spec?.properties?.servers?.items?.properties;
  expect(gateway?.hosts?.type, "a field that is taken").toBe("array");
  expect(gateway, "one that is refused").not.toHaveProperty("defaultEndpoint");
});

test("a kind that there is not", async () => {
  const client = { openApi: async () => ({ schemas: {} }) };
  await expect(kindSchema(client, "Pod")).rejects.toMatchObject({ code: "NOT_FOUND", reason: "no-kind" });
});
