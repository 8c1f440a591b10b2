/** What the first bytes of a connection say: nothing yet, that it is no TLS, that its hello is larger than we take, or what the client asks for. */
export type Hello =
  | { readonly kind: "incomplete" }
  | { readonly kind: "not_tls" }
  | { readonly kind: "too_large" }
  | { readonly kind: "tls"; readonly serverName: string; readonly protocols: readonly string[] };

/** As Envoy's max_client_hello_size. */
export const maxClientHelloBytes = 16 * 1024;

/**
 * Reads a ClientHello as it stands on the wire, in as many TLS records as the client chose (RFC 8446, 4.1.2 and 5.1). Takes all bytes
 * from the connection's first on, and is asked again when more have come; never throws, whatever they are.
 */
export function readClientHello(bytes: Buffer): Hello {
  const message = handshakeOf(bytes);
  if (message === undefined || (message.length > 0 && message[0] !== clientHelloType)) return notTls;
  const length = lengthOf(message);
  if (length === undefined || message.length < length) {
    // Records of a few bytes each could go on for long; no client sends them.
    return (length ?? 0) > maxClientHelloBytes || bytes.length > 2 * maxClientHelloBytes ? tooLarge : incomplete;
  }
  if (length > maxClientHelloBytes) return tooLarge;
  return helloOf(message.subarray(4, length)) ?? notTls;
}

/** Of the whole handshake message, with its head of type and length; undefined: the head is not there yet. */
const lengthOf = (message: Buffer): number | undefined =>
  message.length < 4 ? undefined : 4 + message.readUIntBE(1, 3);

const incomplete: Hello = { kind: "incomplete" };
const notTls: Hello = { kind: "not_tls" };
const tooLarge: Hello = { kind: "too_large" };

const handshakeRecord = 22;
const clientHelloType = 1;
/** RFC 8446, 5.1: a record's plaintext is at most 2^14 bytes, and no handshake record is empty. */
const maxRecordBytes = 16_384;

/** The payloads of the handshake records so far, joined, up to the end of the first message; undefined: these are no TLS records. */
function handshakeOf(bytes: Buffer): Buffer | undefined {
  let message: Buffer = Buffer.alloc(0);
  for (let at = 0; at < bytes.length; ) {
    if (bytes[at] !== handshakeRecord) return undefined;
    // Major version 3 stands for SSL 3.0 and every TLS.
    if (at + 1 < bytes.length && bytes[at + 1] !== 3) return undefined;
    if (at + 5 > bytes.length) break;
    const length = bytes.readUInt16BE(at + 3);
    if (length === 0 || length > maxRecordBytes) return undefined;
    const payload = bytes.subarray(at + 5, Math.min(bytes.length, at + 5 + length));
    message = message.length === 0 ? payload : Buffer.concat([message, payload]);
    at += 5 + length;
    // What follows a whole hello (early data) is not looked at, nor what follows one that is too large.
    const end = lengthOf(message);
    if (end !== undefined && (message.length >= end || end > maxClientHelloBytes)) break;
  }
  return message;
}

/** RFC 8446, 4.1.2: version, random, session id, cipher suites, compression methods, extensions. Undefined: malformed. */
function helloOf(body: Buffer): Hello | undefined {
  const reader = new Reader(body);
  reader.skip(2 + 32);
  reader.skip(reader.uint(1));
  reader.skip(reader.uint(2));
  reader.skip(reader.uint(1));
  let serverName = "";
  let protocols: readonly string[] = [];
  if (reader.left > 0) {
    const extensions = reader.part(reader.uint(2));
    while (extensions.left > 0) {
      const type = extensions.uint(2);
      const data = extensions.part(extensions.uint(2));
      if (type === serverNameExtension) serverName = serverNameOf(data);
      else if (type === alpnExtension) protocols = protocolsOf(data);
      if (data.failed) return undefined;
    }
    if (extensions.failed) return undefined;
  }
  return reader.failed ? undefined : { kind: "tls", serverName, protocols };
}

const serverNameExtension = 0;
const alpnExtension = 16;

/** RFC 6066, 3: the only kind of name there is, in lower case; empty when there is none. */
function serverNameOf(data: Reader): string {
  const list = data.part(data.uint(2));
  while (list.left > 0) {
    const type = list.uint(1);
    const name = list.part(list.uint(2));
    if (type === 0) return name.text().toLowerCase();
  }
  return "";
}

/** RFC 7301, 3.1, in the client's order. */
function protocolsOf(data: Reader): string[] {
  const list = data.part(data.uint(2));
  const protocols: string[] = [];
  while (list.left > 0) protocols.push(list.part(list.uint(1)).text());
  return protocols;
}

/** Reads past its end as nothing, and remembers that it failed. */
class Reader {
  failed = false;
  private readonly bytes: Buffer;
  private at = 0;

  constructor(bytes: Buffer) {
    this.bytes = bytes;
  }

  get left(): number {
    return this.failed ? 0 : this.bytes.length - this.at;
  }

  uint(size: 1 | 2): number {
    if (this.left < size) return this.fail();
    const value = this.bytes.readUIntBE(this.at, size);
    this.at += size;
    return value;
  }

  skip(length: number): void {
    if (this.left < length) this.fail();
    else this.at += length;
  }

  part(length: number): Reader {
    if (this.left < length) {
      this.fail();
      return new Reader(Buffer.alloc(0));
    }
    const part = new Reader(this.bytes.subarray(this.at, this.at + length));
    this.at += length;
    return part;
  }

  text(): string {
    return this.bytes.toString("latin1");
  }

  private fail(): 0 {
    this.failed = true;
    return 0;
  }
}
