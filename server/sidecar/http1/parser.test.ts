import { describe, expect, it } from "vitest";
import { type MessageParser, ParseEvent, RequestParser, ResponseParser } from "./parser.ts";

/** Feeds pieces and writes down what the parser said, body bytes joined. */
function transcript(parser: MessageParser, pieces: readonly string[]): string[] {
  const said: string[] = [];
  let body = "";
  for (const piece of pieces) {
    const bytes = Buffer.from(piece, "latin1");
    let at = 0;
    for (;;) {
      const event = parser.next(bytes, at, bytes.length);
      at = parser.position;
      if (event === ParseEvent.needMore) break;
      if (event === ParseEvent.error)
        return [...said, ...(body === "" ? [] : [`body ${body}`]), `error ${parser.error}`];
      if (event === ParseEvent.head) said.push(describeHead(parser));
      else if (event === ParseEvent.body) body += bytes.toString("latin1", parser.bodyStart, parser.bodyEnd);
      else {
        if (body !== "") said.push(`body ${body}`);
        said.push("done");
        body = "";
      }
    }
  }
  return body === "" ? said : [...said, `body ${body}`];
}

function describeHead(parser: MessageParser): string {
  const { head } = parser;
  const start =
    parser instanceof RequestParser ? `${parser.head.method} ${parser.head.authority} ${parser.head.path}` : "response";
  const fields = head.headers.join("|");
  return `${start} 1.${head.minor} ${fields} ${head.keepAlive ? "keep" : "close"}${head.upgrade && ` ${head.upgrade}`}`;
}

const request = (text: string) => transcript(new RequestParser(), [text]);
const refusal = (text: string) => request(text).at(-1);
const line = "GET / HTTP/1.1\r\nHost: a\r\n";

describe("requests taken", () => {
  it.each<[string, string, string[]]>([
    ["no body", `${line}\r\n`, ["GET a / 1.1  keep", "done"]],
    ["names in lower case, values trimmed", `${line}X-Y: \t v \t\r\n\r\n`, ["GET a / 1.1 x-y|v keep", "done"]],
    ["empty value", `${line}X:\r\n\r\n`, ["GET a / 1.1 x| keep", "done"]],
    ["obs-text", `${line}x: \xe9\r\n\r\n`, ["GET a / 1.1 x|\xe9 keep", "done"]],
    ["empty lines before", `\r\n\r\n${line}\r\n`, ["GET a / 1.1  keep", "done"]],
    ["length", `${line}Content-Length: 3\r\n\r\nabc`, ["GET a / 1.1 content-length|3 keep", "body abc", "done"]],
    ["length 0", `${line}Content-Length: 0\r\n\r\n`, ["GET a / 1.1 content-length|0 keep", "done"]],
    [
      "chunked",
      `${line}Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n`,
      ["GET a / 1.1  keep", "body 3\r\nabc\r\n0\r\n\r\n", "done"],
    ],
    [
      "extensions and trailers",
      `${line}transfer-encoding: Chunked\r\n\r\nA;x="y"\r\n0123456789\r\n000\r\nT: v\r\n\r\n`,
      ["GET a / 1.1  keep", 'body A;x="y"\r\n0123456789\r\n000\r\nT: v\r\n\r\n', "done"],
    ],
    ["close", `${line}Connection: close\r\n\r\n`, ["GET a / 1.1  close", "done"]],
    ["HTTP/1.0", "GET / HTTP/1.0\r\n\r\n", ["GET  / 1.0  close", "done"]],
    ["HTTP/1.0 kept alive", "GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n", ["GET  / 1.0  keep", "done"]],
    ["a later minor version", "GET / HTTP/1.2\r\nHost: a\r\n\r\n", ["GET a / 1.1  keep", "done"]],
    [
      "absolute form wins over Host",
      "GET http://b:81/x?y HTTP/1.1\r\nHost: a\r\n\r\n",
      ["GET b:81 /x?y 1.1  keep", "done"],
    ],
    ["absolute form without path", "GET http://b?y HTTP/1.1\r\nHost: a\r\n\r\n", ["GET b /?y 1.1  keep", "done"]],
    ["asterisk", "OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n", ["OPTIONS a * 1.1  keep", "done"]],
    [
      "upgrade",
      `${line}Connection: keep-alive, Upgrade\r\nUpgrade: WebSocket\r\n\r\n`,
      ["GET a / 1.1  keep websocket", "done"],
    ],
    ["upgrade not named by Connection", `${line}Upgrade: websocket\r\n\r\n`, ["GET a / 1.1  keep", "done"]],
    [
      "fields nominated by Connection end here",
      `${line}X-A: 1\r\nX-B: 2\r\nConnection: x-a\r\n\r\n`,
      ["GET a / 1.1 x-b|2 keep", "done"],
    ],
    [
      "hop-by-hop fields",
      `${line}Keep-Alive: 5\r\nProxy-Connection: x\r\nTE: gzip\r\n\r\n`,
      ["GET a / 1.1  keep", "done"],
    ],
    [
      "pipelined",
      `${line}Content-Length: 1\r\n\r\nx${line}\r\n`,
      ["GET a / 1.1 content-length|1 keep", "body x", "done", "GET a / 1.1  keep", "done"],
    ],
  ])("%s", (_, text, expected) => expect(request(text)).toEqual(expected));
});

describe("requests refused", () => {
  it.each<[string, string, string]>([
    ["no Host", "GET / HTTP/1.1\r\n\r\n", "http1.missing_host"],
    ["two Hosts", `${line}Host: a\r\n\r\n`, "http1.duplicate_host"],
    ["empty Host", "GET / HTTP/1.1\r\nHost:\r\n\r\n", "http1.missing_host"],
    ["Host with a path", "GET / HTTP/1.1\r\nHost: a/b\r\n\r\n", "http1.invalid_host"],
    ["Host with user information", "GET / HTTP/1.1\r\nHost: u@a\r\n\r\n", "http1.invalid_host"],
    ["obs-fold", `${line}x: a\r\n b\r\n\r\n`, "http1.obs_fold"],
    ["folded first line", "GET / HTTP/1.1\r\n Host: a\r\n\r\n", "http1.obs_fold"],
    ["bare LF after a field", `${line}x: a\ny: b\r\n\r\n`, "http1.bare_line_feed"],
    ["bare LF everywhere", "GET / HTTP/1.1\nHost: a\n\n", "http1.bare_line_feed"],
    ["bare CR", `${line}x: a\rb\r\n\r\n`, "http1.invalid_characters"],
    ["NUL", `${line}x: a\0b\r\n\r\n`, "http1.invalid_characters"],
    ["space before the colon", `${line}Content-Length : 3\r\n\r\n`, "http1.invalid_characters"],
    ["no colon", `${line}abc\r\n\r\n`, "http1.invalid_characters"],
    ["empty name", `${line}: x\r\n\r\n`, "http1.invalid_characters"],
    ["lengths that differ", `${line}Content-Length: 1\r\nContent-Length: 2\r\n\r\n`, "http1.invalid_content_length"],
    ["equal lengths twice", `${line}Content-Length: 1\r\nContent-Length: 1\r\n\r\n`, "http1.invalid_content_length"],
    ["a list of lengths", `${line}Content-Length: 1, 1\r\n\r\n`, "http1.invalid_content_length"],
    ["a signed length", `${line}Content-Length: +1\r\n\r\n`, "http1.invalid_content_length"],
    ["a negative length", `${line}Content-Length: -1\r\n\r\n`, "http1.invalid_content_length"],
    ["a hexadecimal length", `${line}Content-Length: 0x1\r\n\r\n`, "http1.invalid_content_length"],
    ["an empty length", `${line}Content-Length:\r\n\r\n`, "http1.invalid_content_length"],
    ["a giant length", `${line}Content-Length: 99999999999999999999\r\n\r\n`, "http1.invalid_content_length"],
    [
      "both framings",
      `${line}Content-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n`,
      "http1.content_length_and_chunked_not_allowed",
    ],
    [
      "both framings, other order",
      `${line}Transfer-Encoding: chunked\r\nContent-Length: 1\r\n\r\n`,
      "http1.content_length_and_chunked_not_allowed",
    ],
    ["unknown coding", `${line}Transfer-Encoding: gzip, chunked\r\n\r\n`, "http1.transfer_encoding_not_implemented"],
    ["chunked not last", `${line}Transfer-Encoding: chunked, gzip\r\n\r\n`, "http1.invalid_transfer_encoding"],
    ["no chunked", `${line}Transfer-Encoding: gzip\r\n\r\n`, "http1.invalid_transfer_encoding"],
    ["chunked twice", `${line}Transfer-Encoding: chunked, chunked\r\n\r\n`, "http1.invalid_transfer_encoding"],
    ["empty coding", `${line}Transfer-Encoding:\r\n\r\n`, "http1.invalid_transfer_encoding"],
    [
      "coding before chunked",
      `${line}Transfer-Encoding: gzip, chunked\r\n\r\n`,
      "http1.transfer_encoding_not_implemented",
    ],
    ["hidden coding", `${line}Transfer-Encoding: \x0bchunked\r\n\r\n`, "http1.invalid_characters"],
    ["identity", `${line}Transfer-Encoding: identity\r\n\r\n`, "http1.invalid_transfer_encoding"],
    [
      "chunked twice",
      `${line}Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n`,
      "http1.invalid_transfer_encoding",
    ],
    ["chunked in HTTP/1.0", "GET / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n", "http1.invalid_transfer_encoding"],
    ["HTTP/2.0", "GET / HTTP/2.0\r\nHost: a\r\n\r\n", "http1.version_not_supported"],
    ["lower-case version", "GET / http/1.1\r\nHost: a\r\n\r\n", "http1.invalid_request_line"],
    ["HTTP/0.9", "GET /\r\n\r\n", "http1.invalid_url"],
    ["two spaces", "GET  / HTTP/1.1\r\nHost: a\r\n\r\n", "http1.invalid_url"],
    ["something after the version", "GET / HTTP/1.1 x\r\nHost: a\r\n\r\n", "http1.invalid_request_line"],
    ["tab in the line", "GET\t/ HTTP/1.1\r\nHost: a\r\n\r\n", "http1.invalid_request_line"],
    ["fragment", "GET /a#b HTTP/1.1\r\nHost: a\r\n\r\n", "http1.invalid_url"],
    ["non-ASCII target", "GET /\xe9 HTTP/1.1\r\nHost: a\r\n\r\n", "http1.invalid_url"],
    ["relative target", "GET a HTTP/1.1\r\nHost: a\r\n\r\n", "http1.invalid_url"],
    ["asterisk with GET", "GET * HTTP/1.1\r\nHost: a\r\n\r\n", "http1.invalid_url"],
    ["absolute form without host", "GET http:///x HTTP/1.1\r\nHost: a\r\n\r\n", "http1.invalid_url"],
    ["a TLS hello", "\x16\x03\x01\x02\0\x01\0\r\n\r\n", "http1.invalid_request_line"],
    ["too many fields", `${line}${"x: y\r\n".repeat(100)}\r\n`, "too_many_headers"],
    ["a head too large", `${line}x: ${"y".repeat(61 * 1024)}\r\n\r\n`, "headers_too_large"],
    ["a head too large and never ended", `${line}x: ${"y".repeat(61 * 1024)}`, "headers_too_large"],
  ])("%s", (_, text, error) => expect(refusal(text)).toBe(`error ${error}`));

  const chunks = (body: string) => refusal(`${line}Transfer-Encoding: chunked\r\n\r\n${body}`);
  it.each<[string, string, string]>([
    ["no size", "\r\n", "http1.invalid_chunk"],
    ["not hexadecimal", "g\r\n", "http1.invalid_chunk"],
    ["0x", "0x1\r\na\r\n", "http1.invalid_chunk"],
    ["a sign", "+1\r\na\r\n", "http1.invalid_chunk"],
    ["a space before the size", " 1\r\na\r\n", "http1.invalid_chunk"],
    ["a space after the size", "1 \r\na\r\n", "http1.invalid_chunk"],
    ["bare LF after the size", "1\na\r\n0\r\n\r\n", "http1.invalid_chunk"],
    ["bare LF in an extension", "1;a\nb\r\na\r\n", "http1.invalid_chunk"],
    ["data longer than its size", "1\r\nab\r\n0\r\n\r\n", "http1.invalid_chunk"],
    ["bare LF after the data", "1\r\na\n0\r\n\r\n", "http1.invalid_chunk"],
    ["a size that overflows", "ffffffffffffffffff\r\n", "http1.invalid_chunk"],
    ["an endless extension", `1;${"x".repeat(20_000)}`, "http1.invalid_chunk"],
    ["a length in the trailers", "0\r\nContent-Length: 5\r\n\r\n", "http1.invalid_trailer"],
    ["a bad trailer name", "0\r\na b: c\r\n\r\n", "http1.invalid_trailer"],
    ["a folded trailer", "0\r\na: b\r\n c\r\n\r\n", "http1.invalid_trailer"],
    ...[
      "1;",
      "1; ",
      "1;=a",
      "1;a=",
      "1;a b",
      "1;a=b c",
      '1;a="b',
      '1;a="b"c',
      '1;a=b"c"',
      "1;a\x01",
      '1;a="\x01"',
      "1;;a",
      "1;a=b=c",
      '1;a="\\\x01"',
    ].map((size): [string, string, string] => [
      `extension ${JSON.stringify(size)}`,
      `${size}\r\na\r\n0\r\n\r\n`,
      "http1.invalid_chunk",
    ]),
  ])("chunks: %s", (_, body, error) => expect(chunks(body)).toBe(`error ${error}`));
});

it.each(["1;a", "1; a", "1;a=b", "1;a = b ;c", '1;a="b c;\\"=\t\xe9"', '1;a=b;c="";d'])(
  "chunk extension %j",
  (size) => {
    expect(refusal(`${line}Transfer-Encoding: chunked\r\n\r\n${size}\r\na\r\n0\r\n\r\n`)).toBe("done");
  },
);

describe("responses", () => {
  const response = (text: string, toHead = false) => {
    const parser = new ResponseParser();
    parser.toHead = toHead;
    return transcript(parser, [text]);
  };
  it.each<[string, string[], boolean, string[]]>([
    [
      "length",
      ["HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nab"],
      false,
      ["response 1.1 content-length|2 keep", "body ab", "done"],
    ],
    ["no reason", ["HTTP/1.1 200\r\ncontent-length: 0\r\n\r\n"], false, ["response 1.1 content-length|0 keep", "done"]],
    ["to HEAD", ["HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n"], true, ["response 1.1 content-length|2 keep", "done"]],
    ["204", ["HTTP/1.1 204 No Content\r\n\r\n"], false, ["response 1.1  keep", "done"]],
    [
      "304",
      ["HTTP/1.1 304 Not Modified\r\ncontent-length: 9\r\n\r\n"],
      false,
      ["response 1.1 content-length|9 keep", "done"],
    ],
    ["until close", ["HTTP/1.1 200 OK\r\n\r\nabc"], false, ["response 1.1  keep", "body abc"]],
    [
      "informational first",
      ["HTTP/1.1 103 Early Hints\r\nlink: x\r\n\r\nHTTP/1.1 204 x\r\n\r\n"],
      false,
      ["response 1.1 link|x keep", "done", "response 1.1  keep", "done"],
    ],
    [
      "both framings",
      ["HTTP/1.1 200 OK\r\ncontent-length: 1\r\ntransfer-encoding: chunked\r\n\r\n"],
      false,
      ["error http1.content_length_and_chunked_not_allowed"],
    ],
    ["204 with a length", ["HTTP/1.1 204 x\r\ncontent-length: 5\r\n\r\nhello"], false, ["error http1.codec_error"]],
    ["204 with chunks", ["HTTP/1.1 204 x\r\ntransfer-encoding: chunked\r\n\r\n"], false, ["error http1.codec_error"]],
    ["status of two digits", ["HTTP/1.1 20 OK\r\n\r\n"], false, ["error http1.invalid_status_line"]],
    ["status 099", ["HTTP/1.1 099 OK\r\n\r\n"], false, ["error http1.invalid_status_line"]],
    ["garbage", ["hello\r\n\r\n"], false, ["error http1.invalid_status_line"]],
  ])("%s", (_, [text = ""], toHead, expected) => expect(response(text, toHead)).toEqual(expected));
});

describe("any split", () => {
  const messages = [
    `\r\n${line}Content-Length: 3\r\nX: y\r\n\r\nabc${line}\r\n`,
    `${line}Transfer-Encoding: chunked\r\n\r\n3;e=1\r\nabc\r\n10\r\n0123456789abcdef\r\n0\r\nT: v\r\n\r\n${line}Connection: close\r\n\r\n`,
    `${line}Transfer-Encoding: chunked\r\n\r\n3\r\nabcd`,
    `${line}x: a\nb\r\n\r\n`,
    `${line}x: a\r\n b\r\n\r\n`,
  ];
  it("in two pieces means the same", () => {
    for (const message of messages) {
      const whole = request(message);
      for (let at = 1; at < message.length; at++) {
        const parts = transcript(new RequestParser(), [message.slice(0, at), message.slice(at)]);
        expect(parts, `split at ${at} of ${JSON.stringify(message)}`).toEqual(tolerant(whole, parts));
      }
    }
  });

  it("in random pieces, down to single bytes, means the same", () => {
    let seed = 42;
    const random = () => {
      seed = (seed * 1103515245 + 12345) % 2147483648;
      return seed / 2147483648;
    };
    for (let round = 0; round < 300; round++) {
      const message = messages[round % messages.length] as string;
      const pieces: string[] = [];
      for (let at = 0; at < message.length; ) {
        const length = round < messages.length ? 1 : 1 + Math.floor(random() * 12);
        pieces.push(message.slice(at, at + length));
        at += length;
      }
      const parts = transcript(new RequestParser(), pieces);
      expect(parts, JSON.stringify(pieces)).toEqual(tolerant(request(message), parts));
    }
  });

  /** Whatever is refused is refused in every split; how much of a body was seen before, and which rule struck first, may differ. */
  function tolerant(whole: string[], parts: string[]): string[] {
    return whole.at(-1)?.startsWith("error") === true && parts.at(-1)?.startsWith("error") === true ? parts : whole;
  }
});

describe("garbage", () => {
  it("never throws, never hangs and never takes a request without a Host", () => {
    let seed = 7;
    const random = () => {
      seed = (seed * 1103515245 + 12345) % 2147483648;
      return seed / 2147483648;
    };
    const alphabet = [
      "GET ",
      "/",
      " HTTP/1.1",
      "\r\n",
      "\r",
      "\n",
      ":",
      " ",
      "Host: a",
      "\0",
      "\xff",
      "Content-Length: 5",
      "Transfer-Encoding: chunked",
      "5",
      ";",
    ];
    for (let round = 0; round < 5000; round++) {
      let text = "";
      for (let i = 0; i < 12; i++) text += alphabet[Math.floor(random() * alphabet.length)];
      for (const said of request(text)) if (said.startsWith("GET")) expect(text).toContain("Host: a");
    }
  });
});
