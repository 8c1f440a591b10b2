import { createServer as createHttpServer } from "node:http";
import { createServer as createHttp2Server } from "node:http2";
import { createServer as createHttpsServer } from "node:https";
import { type AddressInfo, connect, createServer, type Server, type Socket } from "node:net";
import { connect as connectTls, createServer as createTlsServer } from "node:tls";
import type { Certificate } from "./certificates.ts";

export interface TcpApplication {
  readonly port: number;
  close(): Promise<void>;
}

/** Speaks first, its name and a line feed, and then repeats what it hears; ends when its client has. */
export const startEcho = (name: string): Promise<TcpApplication> =>
  start(
    createServer({ allowHalfOpen: true }, (socket) => {
      socket.write(`${name}\n`);
      socket.pipe(socket);
    }),
  );

/** Says its name, and the server name that it was asked for, and hangs up. */
export const startTls = (name: string, certificate: Certificate): Promise<TcpApplication> =>
  start(createTlsServer(certificate, (socket) => socket.end(`${name} ${socket.servername || "-"}`)));

/** Opens tunnels to ports of this machine when it is asked to by CONNECT, and says in the log which. */
export const startTunnels = (log: string[]): Promise<TcpApplication> => {
  const server = createHttpServer();
  server.on("connect", (request, socket, rest) => {
    log.push(request.url ?? "");
    const upstream = connect({ port: Number(request.url?.split(":")[1]), host: "127.0.0.1", allowHalfOpen: true });
    upstream.on("error", () => socket.destroy());
    socket.on("error", () => upstream.destroy());
    socket.write("HTTP/1.1 200 OK\r\n\r\n");
    if (rest.length > 0) upstream.write(rest);
    socket.pipe(upstream).pipe(socket);
  });
  return start(server);
};

/** Answers with the first line that it gets. */
export const startFirstLine = (): Promise<TcpApplication> =>
  start(
    createServer((socket) => {
      let text = "";
      socket.on("data", (bytes) => {
        text += bytes.toString("latin1");
        if (text.includes("\r\n")) socket.end(text.slice(0, text.indexOf("\r\n")));
      });
    }),
  );

/** HTTP/2 in plain text, and nothing else: answers with the path. */
export const startHttp2 = (): Promise<TcpApplication> =>
  start(createHttp2Server((request, response) => response.end(`HTTP/${request.httpVersion} ${request.url}`)));

/** HTTP over TLS: answers with the Host header and the server name. */
export const startHttps = (certificate: Certificate): Promise<TcpApplication> =>
  start(
    createHttpsServer(certificate, (request, response) => {
      const { servername } = request.socket as Socket & { servername?: string };
      response.end(`${request.headers.host} ${servername}`);
    }),
  );

async function start(server: Server): Promise<TcpApplication> {
  const sockets = new Set<Socket>();
  server.on("connection", (socket: Socket) => {
    sockets.add(socket);
    socket.on("error", () => {});
    socket.on("close", () => sockets.delete(socket));
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    port: (server.address() as AddressInfo).port,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        for (const socket of sockets) socket.destroy();
      }),
  };
}

/** Sends a text, ends its side, and resolves with all that came back, `""` also when the connection was broken off. */
export const talk = (address: string, port: number, text = ""): Promise<string> =>
  all(connect({ host: address, port, allowHalfOpen: true }), (socket) => socket.end(text));

/** Sends a text, and hangs up only when so many bytes have come back; resolves with what has come when the connection is gone. */
export const ask = (address: string, port: number, text: string, bytes: number): Promise<string> =>
  all(connect({ host: address, port }), (socket) => {
    if (text !== "") socket.write(text);
    let received = 0;
    socket.on("data", (chunk) => {
      received += chunk.length;
      if (received >= bytes) socket.end();
    });
  });

/** Breaks the connection off as soon as something has come, and resolves once it is gone. */
export const hangUp = (address: string, port: number): Promise<void> =>
  new Promise((resolve) => {
    const socket = connect({ host: address, port, allowHalfOpen: true });
    socket.on("error", () => {});
    socket.on("data", () => socket.resetAndDestroy());
    socket.on("close", () => resolve());
  });

/** As `talk`, silently over TLS, with any certificate taken; no name: no SNI. */
export const talkTls = (address: string, port: number, servername?: string): Promise<string> =>
  all(connectTls({ host: address, port, rejectUnauthorized: false, ...(servername && { servername }) }), () => {});

function all(socket: Socket, begin: (socket: Socket) => void): Promise<string> {
  return new Promise((resolve) => {
    let text = "";
    socket.setEncoding("utf8");
    socket.setTimeout(10_000, () => socket.destroy());
    socket.on("data", (chunk) => {
      text += chunk;
    });
    socket.on("error", () => {});
    socket.on("close", () => resolve(text));
    begin(socket);
  });
}
