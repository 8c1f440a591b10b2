import { ErrorCode } from "./errors.ts";
import { defaultMaxFrame } from "./frames.ts";
import { defaultTableSize } from "./hpack/decoder.ts";
import { type Http2Options, maxHeldPerStream } from "./options.ts";

/** Of RFC 9113, 6.5.2 and RFC 8441, 3. */
export const Setting = {
  headerTableSize: 0x1,
  enablePush: 0x2,
  maxConcurrentStreams: 0x3,
  initialWindowSize: 0x4,
  maxFrameSize: 0x5,
  maxHeaderListSize: 0x6,
  enableConnectProtocol: 0x8,
} as const;

export const defaultWindow = 65_535;
export const maxWindow = 0x7fffffff;

/** What a peer has told of itself. */
export class PeerSettings {
  headerTableSize = defaultTableSize;
  /** Unlimited until told. */
  maxConcurrentStreams = maxWindow;
  initialWindow = defaultWindow;
  maxFrame = defaultMaxFrame;
  connectProtocol = false;

  /**
   * Takes the payload of a SETTINGS frame, `bytes[start, end)`.
   * @param fromServer whether the peer is the server, which may not ask for pushes
   * @returns an error code of the connection; 0: all is well
   */
  apply(bytes: Buffer, start: number, end: number, fromServer: boolean): number {
    for (let at = start; at < end; at += 6) {
      const code = this.applyOne(bytes.readUInt16BE(at), bytes.readUInt32BE(at + 2), fromServer);
      if (code !== ErrorCode.noError) return code;
    }
    return ErrorCode.noError;
  }

  private applyOne(id: number, value: number, fromServer: boolean): number {
    switch (id) {
      case Setting.headerTableSize:
        this.headerTableSize = value;
        break;
      case Setting.enablePush:
        if (value > (fromServer ? 0 : 1)) return ErrorCode.protocolError;
        break;
      case Setting.maxConcurrentStreams:
        this.maxConcurrentStreams = value;
        break;
      case Setting.initialWindowSize:
        if (value > maxWindow) return ErrorCode.flowControlError;
        this.initialWindow = value;
        break;
      case Setting.maxFrameSize:
        if (value < defaultMaxFrame || value > 0xffffff) return ErrorCode.protocolError;
        this.maxFrame = value;
        break;
      case Setting.enableConnectProtocol:
        // RFC 8441, 3: once offered it cannot be taken back.
        if (value > 1 || (value === 0 && this.connectProtocol)) return ErrorCode.protocolError;
        this.connectProtocol = value === 1;
        break;
      // SETTINGS_MAX_HEADER_LIST_SIZE is advice: what is larger, the peer refuses itself. Unknown ones are ignored (RFC 9113, 6.5.2).
    }
    return ErrorCode.noError;
  }
}

/** How far a stream's window is opened. */
export const streamWindow = (options: Http2Options): number =>
  Math.min(Math.max(options.initialStreamWindow, defaultWindow), maxHeldPerStream);

export const connectionWindow = (options: Http2Options): number =>
  Math.min(Math.max(options.initialConnectionWindow, defaultWindow), maxWindow);

/** The payload of our SETTINGS: what Envoy sends. A server says nothing of pushes, a client that it wants none. */
export function settingsPayload(options: Http2Options, server: boolean): Buffer {
  const pairs: [number, number][] = [
    ...(server ? [] : ([[Setting.enablePush, 0]] as [number, number][])),
    [Setting.headerTableSize, options.hpackTableSize],
    ...(server && options.allowConnect ? ([[Setting.enableConnectProtocol, 1]] as [number, number][]) : []),
    [Setting.maxConcurrentStreams, options.maxConcurrentStreams],
    [Setting.initialWindowSize, streamWindow(options)],
    ...(server ? ([[Setting.maxHeaderListSize, headerListSize(options)]] as [number, number][]) : []),
  ];
  const payload = Buffer.alloc(pairs.length * 6);
  for (const [index, [id, value]] of pairs.entries()) {
    payload.writeUInt16BE(id, index * 6);
    payload.writeUInt32BE(value, index * 6 + 2);
  }
  return payload;
}

/** As RFC 9113, 6.5.2 counts: every field with an overhead of 32 bytes, which Envoy's limit leaves out. */
const headerListSize = (options: Http2Options): number => options.maxHeaderBytes + options.maxHeaders * 32;
