import type { Socket } from "node:net";
import { type AccessLogger, type ListenerPlace, newRecord, type RequestRecord, ResponseFlag } from "../record.ts";
import type { WallClock } from "../wall-clock.ts";

/** What a listener's `access_log` writes: a line for every connection, when it is over, whatever became of it. */
export interface ConnectionLogs {
  readonly logger: AccessLogger;
  readonly wall: WallClock;
}

/** One connection as its listener sees it. https://www.envoyproxy.io/docs/envoy/latest/api-v3/config/listener/v3/listener.proto */
export class ConnectionLog {
  private record: RequestRecord;

  constructor(socket: Socket, { logger, wall }: ConnectionLogs) {
    const start = performance.now();
    const record = newRecord(wall.at(start), start);
    this.record = record;
    record.protocol = "";
    record.ofListener = true;
    record.connection = this;
    record.atEdge = true;
    record.downstreamRemoteAddress = socket.remoteAddress ?? "";
    record.downstreamRemotePort = socket.remotePort ?? 0;
    record.downstreamLocalAddress = socket.localAddress ?? "";
    record.downstreamLocalPort = socket.localPort ?? 0;
    socket.once("close", () => {
      const end = { ...this.record, ofListener: true };
      end.durationMs = performance.now() - start;
      end.startMs = wall.at(start);
      end.requestBodyBytes = socket.bytesRead;
      end.responseBodyBytes = socket.bytesWritten;
      logger.log(end);
    });
  }

  /** No filter chain takes it. */
  unmatched(): void {
    this.record.responseFlags |= ResponseFlag.noRouteFound;
    this.record.responseCodeDetails = "filter_chain_not_found";
  }

  chosen(place: ListenerPlace): void {
    this.record.place = place;
  }

  /** A filter of the chain closes it. */
  refused(reason: string): void {
    this.record.connectionTerminationDetails = reason;
  }

  /** What a TCP proxy finds out of the connection is the listener's to tell, too. */
  carriedBy(record: RequestRecord): void {
    this.record = record;
  }
}
