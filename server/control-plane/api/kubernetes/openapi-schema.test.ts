import { expect, test } from "vitest";
import { kinds } from "../../../config/kinds/index.ts";
import { objectSchema } from "./openapi-schema.ts";

test.each(kinds.map((kind) => [kind.kind, kind] as const))(
  "the types of %s are such as kubectl can read",
  (_, kind) => {
    const several: string[] = [];
    JSON.stringify(
      objectSchema(kind, kind.version, (name) => name),
      function (this: unknown, key, value: unknown) {
        if (key === "type" && Array.isArray(value)) several.push(JSON.stringify(this).slice(0, 200));
        return value;
      },
    );
    expect(several).toEqual([]);
  },
);
