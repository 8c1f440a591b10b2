/** What keeps a host from getting requests, or lets it have fewer: Envoy's flags. https://www.envoyproxy.io/docs/envoy/latest/operations/admin#get--clusters */
export const HealthFlag = {
  failedActiveCheck: 1 << 0,
  failedOutlierCheck: 1 << 1,
  failedEdsHealth: 1 << 2,
  degradedActiveCheck: 1 << 3,
  degradedEdsHealth: 1 << 4,
  /** Discovery has dropped it, but its checks go on passing. */
  pendingRemoval: 1 << 5,
  /** Not checked yet, and not to be counted before that. */
  pendingActiveCheck: 1 << 6,
  /** It said itself that it is failing: it counts for nothing until a check passes. */
  excludedAtOnce: 1 << 7,
  activeCheckTimeout: 1 << 8,
  edsDraining: 1 << 9,
} as const;

const unhealthy =
  HealthFlag.failedActiveCheck | HealthFlag.failedOutlierCheck | HealthFlag.failedEdsHealth | HealthFlag.edsDraining;
const degraded = HealthFlag.degradedActiveCheck | HealthFlag.degradedEdsHealth;
const excluded = HealthFlag.pendingActiveCheck | HealthFlag.excludedAtOnce;
const fromDiscovery = HealthFlag.failedEdsHealth | HealthFlag.degradedEdsHealth | HealthFlag.edsDraining;
const fromChecks =
  HealthFlag.failedActiveCheck | HealthFlag.degradedActiveCheck | HealthFlag.activeCheckTimeout | excluded;

/** A host's flags together: one that has several is as bad as the worst of them. */
export class HostHealth {
  flags = 0;

  has(flag: number): boolean {
    return (this.flags & flag) !== 0;
  }

  set(flag: number): void {
    this.flags |= flag;
  }

  clear(flag: number): void {
    this.flags &= ~flag;
  }

  get healthy(): boolean {
    return (this.flags & (unhealthy | degraded)) === 0;
  }

  /** Gets what healthy hosts can't carry. */
  get degraded(): boolean {
    return (this.flags & unhealthy) === 0 && (this.flags & degraded) !== 0;
  }

  /** Not counted where the share of healthy hosts matters. */
  get excluded(): boolean {
    return (this.flags & excluded) !== 0;
  }

  /** @param flag of `health_status`; 0: healthy */
  setDiscovered(flag: number): void {
    this.flags = (this.flags & ~fromDiscovery) | flag;
  }

  /** Nobody checks it any more. */
  forgetChecks(): void {
    this.clear(fromChecks);
  }
}
