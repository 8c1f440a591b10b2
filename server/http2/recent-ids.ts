const maxRecent = 1000;

/** The streams that we broke off lately: their peer may still send for them, and that is no fault of its. */
export class RecentIds {
  private readonly ids = new Set<number>();

  add(id: number): void {
    this.ids.delete(id);
    this.ids.add(id);
    if (this.ids.size <= maxRecent) return;
    for (const oldest of this.ids) {
      this.ids.delete(oldest);
      return;
    }
  }

  has(id: number): boolean {
    return this.ids.has(id);
  }
}
