import type { X509Certificate } from "node:crypto";
import type { CipherNameAndProtocol } from "node:tls";
import { create, toBinary } from "@bufbuild/protobuf";
import {
  TLSProperties_TLSVersion as LogVersion,
  TLSPropertiesSchema,
} from "../../gen/proto/envoy/data/accesslog/v3/accesslog_pb.js";
import { type CertificateInfo, certificateInfo } from "./certificate-info.ts";
import { cipherNumber } from "./cipher-number.ts";

/** A TLSSocket after its handshake. */
interface ShakenSocket {
  getProtocol(): string | null;
  getCipher(): CipherNameAndProtocol;
  servername?: string | false | null;
}

/** What a handshake agreed on and who the peer is: a client, or an endpoint. What is made of it is made once for a connection, not for each request. */
export class TlsConnection {
  /** `TLSv1.3`, as Envoy writes it. */
  readonly version: string;
  /** By its OpenSSL name. */
  readonly cipher: string;
  /** That was asked for; may be empty. */
  readonly serverName: string;
  readonly local: CertificateInfo | undefined;
  /** Undefined: it showed no certificate. */
  readonly peer: CertificateInfo | undefined;
  /** In DER, for the header that passes it on. */
  readonly peerCertificate: X509Certificate | undefined;
  private readonly cipherNumber: number;
  private log: Uint8Array | undefined = undefined;

  constructor(socket: ShakenSocket, local: CertificateInfo | undefined, peer: X509Certificate | undefined) {
    const { name, standardName } = socket.getCipher();
    this.version = socket.getProtocol() ?? "";
    this.cipher = name;
    this.cipherNumber = cipherNumber(standardName);
    this.serverName = socket.servername || "";
    this.local = local;
    this.peerCertificate = peer;
    this.peer = peer && certificateInfo(peer);
  }

  /** The first URI of the peer's certificate: its SPIFFE id; empty without one. */
  get peerUri(): string {
    return this.peer?.uris[0] ?? "";
  }

  get localUri(): string {
    return this.local?.uris[0] ?? "";
  }

  /** Whether both sides have shown a certificate. */
  get mutual(): boolean {
    return this.peer !== undefined;
  }

  /** An encoded `envoy.data.accesslog.v3.TLSProperties`. */
  get logProperties(): Uint8Array {
    this.log ??= toBinary(
      TLSPropertiesSchema,
      create(TLSPropertiesSchema, {
        tlsVersion: this.version === "TLSv1.3" ? LogVersion.TLSv1_3 : LogVersion.TLSv1_2,
        tlsCipherSuite: this.cipherNumber,
        tlsSniHostname: this.serverName,
        localCertificateProperties: logged(this.local),
        peerCertificateProperties: logged(this.peer),
      }),
    );
    return this.log;
  }
}

/** Envoy lists URIs, then DNS names. */
const logged = (certificate: CertificateInfo | undefined) => ({
  subject: certificate?.subject ?? "",
  issuer: certificate?.issuer ?? "",
  subjectAltName: [
    ...(certificate?.uris ?? []).map((value) => ({ san: { case: "uri" as const, value } })),
    ...(certificate?.dns ?? []).map((value) => ({ san: { case: "dns" as const, value } })),
  ],
});
