/** What has come of a request's body, for upstreams to come: for one whose connection is not there yet, and for those that the request is tried at again. */
export class KeptBody {
  /** Undefined: there is nothing, or it is too long to keep. */
  parts: Buffer[] | undefined = undefined;
  /** Whether it is kept after it was sent. */
  keeps: boolean;
  private bytes = 0;
  private readonly limit: number;

  /** @param limit how many bytes are kept */
  constructor(limit: number, keeps: boolean) {
    this.limit = limit;
    this.keeps = keeps;
  }

  /**
   * @param sending whether an upstream gets the bytes as well
   * @returns false when more waits than may: the client is to wait
   */
  add(slice: Buffer, sending: boolean): boolean {
    this.bytes += slice.length;
    if (sending && this.parts === undefined && this.bytes > slice.length) return true;
    const fits = this.bytes <= this.limit;
    if (!fits && sending) {
      // Too long to replay: Envoy gives up retry and mirror, not the request.
      this.parts = undefined;
      this.keeps = false;
      return true;
    }
    this.parts ??= [];
    this.parts.push(Buffer.from(slice));
    return fits;
  }

  sent(): void {
    if (!this.keeps) this.parts = undefined;
  }

  /** Whether bytes were sent that are not there to be sent again. */
  get lost(): boolean {
    return this.bytes > 0 && this.parts === undefined;
  }
}
