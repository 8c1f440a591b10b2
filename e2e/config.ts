import { type ConfigApiClient, createConfigApiClient } from "../server/config/api-client.ts";
import type { TestMesh } from "./mesh.ts";

export const apiOf = (mesh: TestMesh): ConfigApiClient => createConfigApiClient(mesh.configApi, 20_000);

/** Sets the percentages of reviews, past any page, so that a test starts from a known split. */
export async function setReviews(mesh: TestMesh, v1: number, v2: number, v3: number): Promise<void> {
  const api = apiOf(mesh);
  const { virtualService } = await api.routing({ namespace: "default", name: "reviews" });
  const change = { rule: 0, weights: { v1, v2, v3 }, resourceVersion: virtualService?.resourceVersion ?? null };
  await api.setWeights({ namespace: "default", name: "reviews" }, change, { user: "e2e" });
}
