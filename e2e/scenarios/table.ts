import type { Scenario } from "./scenario.ts";
import { policy } from "./table/policy.ts";
import { registry } from "./table/registry.ts";
import { resilience } from "./table/resilience.ts";
import { routing } from "./table/routing.ts";

export const scenarios: Scenario[] = [...routing, ...resilience, ...registry, ...policy];
