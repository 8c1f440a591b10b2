import { Socket } from "node:net";

export interface SocketEnd {
  readonly address: string;
  readonly port: number;
}

/**
 * Two ends of a connection that never leaves this process. They are sockets to whoever has them: HTTP servers, agents and codecs take them for TCP. What is written to one is
 * read at the other; a write is done when it was read, so that whoever reads slowly holds the other up.
 */
export function memorySockets(first: SocketEnd, second: SocketEnd): [Socket, Socket] {
  const one = new MemorySocket(first, second);
  const other = new MemorySocket(second, first);
  one.peer = other;
  other.peer = one;
  return [one, other];
}

type Done = (error?: Error | null) => void;

class MemorySocket extends Socket {
  peer: MemorySocket | undefined;
  /** Of a write at the other end that was not asked for yet. */
  #written: Done | undefined;
  #ended = false;

  constructor(local: SocketEnd, remote: SocketEnd) {
    super({ allowHalfOpen: true });
    const family = local.address.includes(":") ? "IPv6" : "IPv4";
    Object.defineProperties(this, {
      localAddress: { value: local.address },
      localPort: { value: local.port },
      localFamily: { value: family },
      remoteAddress: { value: remote.address },
      remotePort: { value: remote.port },
      remoteFamily: { value: family },
      readyState: { get: () => (this.destroyed ? "closed" : "open") },
      pending: { value: false },
    });
  }

  // What only a kernel's sockets have: Node would wait with each of them until one is connected.
  override setNoDelay(): this {
    return this;
  }
  override setKeepAlive(): this {
    return this;
  }
  override ref(): this {
    return this;
  }
  override unref(): this {
    return this;
  }

  /** As a kernel's: whoever is at the other end has an error, and not merely an end. */
  override resetAndDestroy(): this {
    this.peer?.destroy(Object.assign(new Error("read ECONNRESET"), { code: "ECONNRESET" }));
    return this.destroy();
  }

  override _read(): void {
    const done = this.#written;
    this.#written = undefined;
    done?.();
  }

  override _write(chunk: Buffer | string, encoding: BufferEncoding, done: Done): void {
    const { peer } = this;
    if (peer === undefined || peer.destroyed) done(broken());
    else peer.#receive(typeof chunk === "string" ? Buffer.from(chunk, encoding) : chunk, done);
  }

  override _writev(chunks: { chunk: Buffer | string; encoding: BufferEncoding }[], done: Done): void {
    const whole = chunks.map(({ chunk, encoding }) =>
      typeof chunk === "string" ? Buffer.from(chunk, encoding) : chunk,
    );
    this._write(Buffer.concat(whole), "latin1", done);
  }

  override _final(done: Done): void {
    if (this.peer !== undefined) this.peer.#end();
    done();
  }

  override _destroy(error: Error | null, done: Done): void {
    const { peer } = this;
    this.#written?.(broken());
    this.#written = undefined;
    // As a kernel closes for a process: the other end reads what there is, and then that it is over.
    if (peer !== undefined && !peer.destroyed) peer.#end();
    super._destroy(error, done);
  }

  #receive(bytes: Buffer, done: Done): void {
    if (bytes.length === 0 || this.#ended) {
      process.nextTick(done);
      return;
    }
    this.#written = done;
    this.push(bytes);
  }

  #end(): void {
    if (this.#ended) return;
    this.#ended = true;
    this.push(null);
  }
}

const broken = (): Error => Object.assign(new Error("write EPIPE"), { code: "EPIPE" });
