import type { ConfigApiClient, WriteOptions } from "../config/api-client.ts";
import { thresholdsIn, withThresholds } from "../config/edit-thresholds.ts";
import { meshConfig } from "../config/kinds/mesh-config.ts";
import { service as serviceKind } from "../config/kinds/service.ts";
import { serviceEntry } from "../config/kinds/service-entry.ts";
import type { ConfigObject } from "../config/object.ts";
import {
  type ChangeResult,
  DashboardError,
  findService,
  healthThresholds,
  type MeshService,
  type PartialThresholds,
  type ThresholdSettings,
  told,
} from "../contract/index.ts";

/** A service by its hostname or name; left out: the whole mesh. */
export type ThresholdsOf = { namespace: string; name: string } | undefined;

export interface Thresholds {
  thresholds(of: ThresholdsOf): Promise<ThresholdSettings>;
  setThresholds(of: ThresholdsOf, own: PartialThresholds, options: WriteOptions): Promise<ChangeResult>;
}

/** From where on a service is degraded or failing: read from the annotations of its object and of the MeshConfig, and written there. Both reject with NOT_FOUND. */
export function createThresholds(
  api: Pick<ConfigApiClient, "objects" | "transact">,
  services: () => Promise<readonly MeshService[]>,
): Thresholds {
  const mesh = async () => (await api.objects(meshConfig)).find(({ metadata }) => metadata.name === "default");
  const objectOf = async ({ namespace, name }: NonNullable<ThresholdsOf>): Promise<ConfigObject> => {
    const found = findService(await services(), namespace, name);
    const kinds = [serviceKind, serviceEntry];
    for (const kind of found ? kinds : []) {
      const object = (await api.objects(kind)).find(
        ({ metadata, spec }) =>
          metadata.namespace === namespace &&
          metadata.name === found?.name &&
          (kind === serviceKind
            ? found.hostname.startsWith(`${found.name}.${namespace}.svc.`)
            : ((spec as { hosts?: string[] }).hosts ?? []).includes(found.hostname)),
      );
      if (object) return object;
    }
    throw new DashboardError({ code: "NOT_FOUND", ...told("no-service", { name, namespace }) });
  };
  return {
    async thresholds(of) {
      const [object, whole] = await Promise.all([of ? objectOf(of) : undefined, mesh()]);
      const usual = of ? { ...healthThresholds, ...thresholdsIn(whole) } : healthThresholds;
      return { own: thresholdsIn(of ? object : whole), usual };
    },
    async setThresholds(of, own, options) {
      const object = of ? await objectOf(of) : ((await mesh()) ?? newMesh());
      const expect = object.metadata.resourceVersion;
      return api.transact(
        [{ op: "put", object: withThresholds(object, own), ...(expect && { expect }) }],
        undefined,
        options,
      );
    },
  };
}

const newMesh = (): ConfigObject => ({
  apiVersion: `${meshConfig.group}/${meshConfig.version}`,
  kind: meshConfig.kind,
  metadata: { name: "default", namespace: "" },
  spec: {},
});
