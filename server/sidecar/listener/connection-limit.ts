/** How many connections all listeners together may have: https://www.envoyproxy.io/docs/envoy/latest/configuration/listeners/runtime */
export class ConnectionLimit {
  private readonly max: number;
  private active = 0;

  constructor(max: number) {
    this.max = max;
  }

  /** False: there is no room. */
  take(): boolean {
    if (this.active >= this.max) return false;
    this.active++;
    return true;
  }

  release(): void {
    this.active--;
  }
}
