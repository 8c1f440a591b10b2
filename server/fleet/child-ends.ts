/** Why a process of a part ended: by itself or by somebody's signal, for want of an answer, or as planned. */
export interface ChildEnd {
  /** Unix milliseconds. */
  at: number;
  /** When it served again; null: not yet. */
  servedAt: number | null;
  cause: "ended" | "hung" | "planned";
  /** `SIGKILL`, `code 1`; null of a planned one. */
  how: string | null;
}

/** Of one that ends again and again, the last ones. */
const maxEnds = 20;

/** The last times that a part was started again, oldest first. */
export class ChildEnds {
  readonly all: ChildEnd[] = [];

  note(cause: ChildEnd["cause"], how: string | null): void {
    this.all.push({ at: Date.now(), servedAt: null, cause, how });
    if (this.all.length > maxEnds) this.all.shift();
  }

  /** It serves: whatever ended before is over. */
  served(): void {
    for (const end of this.all) end.servedAt ??= Date.now();
  }
}
