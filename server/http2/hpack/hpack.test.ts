import { describe, expect, test } from "vitest";
import { fractionsFrom } from "../../lib/testing/random.ts";
import { pick, randomBytes } from "../testing/random.ts";
import { HpackDecoder } from "./decoder.ts";
import { HpackEncoder } from "./encoder.ts";
import { FieldKind, invalidValue } from "./field-kind.ts";
import { markSensitive } from "./sensitive.ts";

type Field = [name: string, value: string];

/** @returns the fields, or undefined when the block is refused */
function decode(decoder: HpackDecoder, block: Buffer): Field[] | undefined {
  const fields: Field[] = [];
  const sink = { onField: (name: string, value: string) => void fields.push([name, value]) };
  return decoder.decode(block, 0, block.length, sink) ? fields : undefined;
}

function encode(encoder: HpackEncoder, fields: readonly Field[], sensitive: string[] = []): Buffer {
  const flat = fields.flat();
  for (const name of sensitive) markSensitive(flat, name);
  const out = Buffer.alloc(encoder.bound(flat));
  return out.subarray(0, encoder.fields(flat, out, encoder.begin(out, 0)));
}

const hex = (text: string): Buffer => Buffer.from(text.replaceAll(" ", ""), "hex");

const requests: Field[][] = [
  [
    [":method", "GET"],
    [":scheme", "http"],
    [":path", "/"],
    [":authority", "www.example.com"],
  ],
  [
    [":method", "GET"],
    [":scheme", "http"],
    [":path", "/"],
    [":authority", "www.example.com"],
    ["cache-control", "no-cache"],
  ],
  [
    [":method", "GET"],
    [":scheme", "https"],
    [":path", "/index.html"],
    [":authority", "www.example.com"],
    ["custom-key", "custom-value"],
  ],
];

const responses: Field[][] = [
  [
    [":status", "302"],
    ["cache-control", "private"],
    ["date", "Mon, 21 Oct 2013 20:13:21 GMT"],
    ["location", "https://www.example.com"],
  ],
  [
    [":status", "307"],
    ["cache-control", "private"],
    ["date", "Mon, 21 Oct 2013 20:13:21 GMT"],
    ["location", "https://www.example.com"],
  ],
  [
    [":status", "200"],
    ["cache-control", "private"],
    ["date", "Mon, 21 Oct 2013 20:13:22 GMT"],
    ["location", "https://www.example.com"],
    ["content-encoding", "gzip"],
    ["set-cookie", "foo=ASDJKHQKBZXOQWEOPIUAXQWEOIU; max-age=3600; version=1"],
  ],
];

/** The examples of C.5 and C.6 have a table of 256 bytes, which is told at the start of the first block. */
const table256 = "3fe101";

describe("RFC 7541, appendix C", () => {
  test.each<[string, string, Field]>([
    ["C.2.1", "400a 6375 7374 6f6d 2d6b 6579 0d63 7573 746f 6d2d 6865 6164 6572", ["custom-key", "custom-header"]],
    ["C.2.2", "040c 2f73 616d 706c 652f 7061 7468", [":path", "/sample/path"]],
    ["C.2.3", "1008 7061 7373 776f 7264 0673 6563 7265 74", ["password", "secret"]],
    ["C.2.4", "82", [":method", "GET"]],
  ])("%s", (_name, block, field) => {
    expect(decode(new HpackDecoder(), hex(block))).toEqual([field]);
  });

  test.each<[string, Field[][], string[]]>([
    [
      "C.3",
      requests,
      [
        "8286 8441 0f77 7777 2e65 7861 6d70 6c65 2e63 6f6d",
        "8286 84be 5808 6e6f 2d63 6163 6865",
        "8287 85bf 400a 6375 7374 6f6d 2d6b 6579 0c63 7573 746f 6d2d 7661 6c75 65",
      ],
    ],
    [
      "C.4",
      requests,
      [
        "8286 8441 8cf1 e3c2 e5f2 3a6b a0ab 90f4 ff",
        "8286 84be 5886 a8eb 1064 9cbf",
        "8287 85bf 4088 25a8 49e9 5ba9 7d7f 8925 a849 e95b b8e8 b4bf",
      ],
    ],
    [
      "C.5",
      responses,
      [
        `${table256} 4803 3330 3258 0770 7269 7661 7465 611d 4d6f 6e2c 2032 3120 4f63 7420 3230 3133 2032 303a 3133 3a32 3120 474d 546e 1768 7474 7073 3a2f 2f77 7777 2e65 7861 6d70 6c65 2e63 6f6d`,
        "4803 3330 37c1 c0bf",
        "88c1 611d 4d6f 6e2c 2032 3120 4f63 7420 3230 3133 2032 303a 3133 3a32 3220 474d 54c0 5a04 677a 6970 7738 666f 6f3d 4153 444a 4b48 514b 425a 584f 5157 454f 5049 5541 5851 5745 4f49 553b 206d 6178 2d61 6765 3d33 3630 303b 2076 6572 7369 6f6e 3d31",
      ],
    ],
    [
      "C.6",
      responses,
      [
        `${table256} 4882 6402 5885 aec3 771a 4b61 96d0 7abe 9410 54d4 44a8 2005 9504 0b81 66e0 82a6 2d1b ff6e 919d 29ad 1718 63c7 8f0b 97c8 e9ae 82ae 43d3`,
        "4883 640e ffc1 c0bf",
        "88c1 6196 d07a be94 1054 d444 a820 0595 040b 8166 e084 a62d 1bff c05a 839b d9ab 77ad 94e7 821d d7f2 e6c7 b335 dfdf cd5b 3960 d5af 2708 7f36 72c1 ab27 0fb5 291f 9587 3160 65c0 03ed 4ee5 b106 3d50 07",
      ],
    ],
  ])("%s", (_name, expected, blocks) => {
    const decoder = new HpackDecoder();
    expect(blocks.map((block) => decode(decoder, hex(block)))).toEqual(expected);
  });

  test("C.4 is also what the encoder writes: Huffman where it is shorter, the same places in the table", () => {
    const encoder = new HpackEncoder();
    const written = requests.map((fields) => encode(encoder, fields).toString("hex"));
    expect(written).toEqual([
      "828684418cf1e3c2e5f23a6ba0ab90f4ff",
      "828684be5886a8eb10649cbf",
      "828785bf408825a849e95ba97d7f8925a849e95bb8e8b4bf",
    ]);
  });
});

test.each([
  ["index 0", "80"],
  ["an index past both tables", "be"],
  ["a name past both tables", "7f00 0161"],
  ["an integer without its end", "ff80"],
  ["an integer that never ends", "ffffffffffffffffff00"],
  ["a size update after a field", "82 20"],
  ["a size update beyond what was allowed", "3fe21f"],
  ["a name without its end", "400a6375"],
  ["a value that is missing", "400161"],
  ["a value longer than the block", "40016105 61"],
  ["Huffman code with EOS", "40016184ffffffff"],
])("refuses %s", (_what, block) => {
  expect(decode(new HpackDecoder(), hex(block))).toBeUndefined();
});

test("a table that had to become smaller must say so in the next block", () => {
  const late = new HpackDecoder();
  late.allow(100);
  expect(decode(late, hex("82"))).toBeUndefined();
  const punctual = new HpackDecoder();
  punctual.allow(100);
  expect(decode(punctual, hex("3f45 82"))).toEqual([[":method", "GET"]]);
});

test("a field larger than the table empties it", () => {
  const decoder = new HpackDecoder();
  expect(decode(decoder, hex("3f31 4001610162"))).toEqual([["a", "b"]]);
  expect(decode(decoder, hex("be"))).toEqual([["a", "b"]]);
  const large = Buffer.concat([hex("400161 3c"), Buffer.alloc(60, "x")]);
  expect(decode(decoder, large)).toHaveLength(1);
  expect(decode(decoder, hex("be"))).toBeUndefined();
});

test("names and values that HTTP/2 forbids are told apart, also when they come from the table", () => {
  const decoder = new HpackDecoder();
  const kinds: number[] = [];
  const sink = { onField: (_name: string, _value: string, kind: number) => void kinds.push(kind) };
  const block = hex("4001410162 be 4001610100 be 400462 61643a 0162");
  expect(decoder.decode(block, 0, block.length, sink)).toBe(true);
  expect(kinds).toEqual([FieldKind.invalid, FieldKind.invalid, invalidValue, invalidValue, FieldKind.invalid]);
});

test("what came as never indexed goes on so, and secrets do anyway", () => {
  const encoder = new HpackEncoder();
  const fields: Field[] = [
    ["x-token", "abc"],
    ["authorization", "Bearer abc"],
    ["cookie", "short=1"],
  ];
  const first = encode(encoder, fields, ["x-token"]);
  const second = encode(encoder, fields, ["x-token"]);
  expect(second).toEqual(first);
  const sensitive: boolean[] = [];
  new HpackDecoder().decode(second, 0, second.length, { onField: (_n, _v, _k, is) => void sensitive.push(is) });
  expect(sensitive).toEqual([true, true, true]);
});

test("whatever is encoded is decoded, through changes of the table's size", () => {
  const random = fractionsFrom(7541);
  for (let connection = 0; connection < 60; connection++) {
    const encoder = new HpackEncoder();
    const decoder = new HpackDecoder();
    const names = [":path", "cookie", "x-a", "x-b", "content-type", "authorization", "x-request-id", "user-agent"];
    const values = Array.from({ length: 12 }, () => randomBytes(random, random() * 80).toString("latin1"));
    for (let block = 0; block < 40; block++) {
      if (random() < 0.1) {
        encoder.setMaxSize(Math.floor(random() * 500));
        encoder.setMaxSize(Math.floor(random() * 5000));
      }
      const fields = Array.from({ length: Math.floor(random() * 12) }, (): Field => {
        const fresh = random() < 0.2 ? randomBytes(random, random() * 300).toString("latin1") : pick(random, values);
        return [random() < 0.1 ? `x-${Math.floor(random() * 1000)}` : pick(random, names), fresh];
      });
      expect(decode(decoder, encode(encoder, fields))).toEqual(fields);
    }
  }
});

test("random bytes are decoded or refused, and never more than they say", () => {
  const random = fractionsFrom(42);
  for (let round = 0; round < 3000; round++) {
    const block = randomBytes(random, random() * 100);
    const fields = decode(new HpackDecoder(), block);
    if (fields !== undefined) expect(fields.length).toBeLessThanOrEqual(block.length);
  }
});
