import { STATUS_CODES } from "node:http";

const lines: string[] = [];
for (let status = 100; status < 1000; status++)
  lines[status] = `HTTP/1.1 ${status} ${STATUS_CODES[status] ?? "Unknown"}\r\n`;

/** `HTTP/1.1 200 OK\r\n`. */
export const statusLine = (status: number): string => lines[status] ?? `HTTP/1.1 ${status} Unknown\r\n`;
