import type { Socket } from "node:net";
import { addressesOf, type ConnectionAddresses } from "../http/addresses.ts";
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
    this.note(addressesOf(socket));
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

  /** By now whoever stands in front of the client may have said who it is. */
  chosen(place: ListenerPlace, addresses: ConnectionAddresses): void {
    this.record.place = place;
    this.note(addresses);
  }

  private note({ remoteAddress, remotePort, localAddress, localPort }: ConnectionAddresses): void {
    const { record } = this;
    record.downstreamRemoteAddress = remoteAddress;
    record.downstreamRemotePort = remotePort;
    record.downstreamLocalAddress = localAddress;
    record.downstreamLocalPort = localPort;
  }

  /** A filter of the chain closes it. */
  refused(details: string, flags: number): void {
    this.record.connectionTerminationDetails = details;
    this.record.responseFlags |= flags;
  }

  /** What a TCP proxy finds out of the connection is the listener's to tell, too. */
  carriedBy(record: RequestRecord): void {
    this.record = record;
  }
}
