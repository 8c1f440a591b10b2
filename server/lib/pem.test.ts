import { expect, it } from "vitest";
import { certificateBlocks } from "./pem.ts";

const block = (text: string) => `-----BEGIN CERTIFICATE-----\n${text}\n-----END CERTIFICATE-----`;

it("finds each certificate, whatever stands between them", () => {
  const key = "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----";
  expect(certificateBlocks(`subject=a\n${block("AAAA")}\r\n${key}\n${block("BB+/==")}`)).toEqual([
    block("AAAA"),
    block("BB+/=="),
  ]);
  expect(certificateBlocks("")).toEqual([]);
  expect(certificateBlocks("-----BEGIN CERTIFICATE-----\nAAAA")).toEqual([]);
});
