import { STATUS_CODES } from "node:http";

const lines: string[] = [];
for (let status = 100; status < 1000; status++)
  lines[status] = `HTTP/1.1 ${status} ${STATUS_CODES[status] ?? "Unknown"}\r\n`;

/** `HTTP/1.1 200 OK\r\n`. */
export const statusLine = (status: number): string => lines[status] ?? `HTTP/1.1 ${status} Unknown\r\n`;

let dateSecond = 0;
let dateText = "";

/** The Date field's value, formatted once a second. */
export function httpDate(): string {
  const second = Math.floor(Date.now() / 1000);
  if (second !== dateSecond) {
    dateSecond = second;
    dateText = new Date(second * 1000).toUTCString();
  }
  return dateText;
}
