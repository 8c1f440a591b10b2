import { describe, expect, it } from "vitest";
import { type HttpFilter, Replied, type RequestContext, type StreamFilter } from "./filter.ts";
import { FilterWalk, type WalkSink } from "./filter-walk.ts";
import type { Hold } from "./hold.ts";

const request = {} as RequestContext;

/** A walk that writes down what it comes to; filters are made of what they do. */
function walking(filters: (Partial<HttpFilter> & { stream?: StreamFilter })[], limit = 1000) {
  const log: string[] = [];
  const text = (bytes: Buffer, start: number, end: number) => bytes.toString("latin1", start, end);
  const sink: WalkSink = {
    onRequestHead: (end) => log.push(`request${end ? " whole" : ""}`),
    onRequestData: (...data) => log.push(`> ${text(...data)}`),
    onRequestEnd: (trailers) => log.push(`> end ${trailers?.join(" ") ?? ""}`.trim()),
    onResponseHead: () => log.push("response"),
    onResponseData: (...data) => log.push(`< ${text(...data)}`) > 0,
    onResponseEnd: (trailers) => log.push(`< end ${trailers?.join(" ") ?? ""}`.trim()),
    pauseRequest: () => log.push("pause"),
    resumeRequest: () => log.push("resume"),
    onRequestTooLarge: () => log.push("request too large"),
    onResponseTooLarge: () => log.push("response too large"),
  };
  const made = filters.map(({ stream, ...filter }, index): HttpFilter => {
    return { name: `f${index}`, ...filter, ...(stream && { open: () => stream }) };
  });
  const walk = new FilterWalk(made, request, sink, limit);
  return { walk, log };
}

function go(seen: string[], what: string): "go" {
  seen.push(what);
  return "go";
}

function noted(seen: string[], data: Buffer): Buffer {
  seen.push(data.toString("latin1"));
  return data;
}

const bytes = (text: string) => Buffer.from(text, "latin1");
const send = (walk: FilterWalk, text: string) => walk.requestData(bytes(text), 0, text.length);
const answer = (walk: FilterWalk, text: string) => walk.responseData(bytes(text), 0, text.length);
const upper: StreamFilter = {
  requestData: (data) => bytes(data.toString("latin1").toUpperCase()),
  responseData: (data) => bytes(data.toString("latin1").toUpperCase()),
};
const wrap = (mark: string): StreamFilter => ({
  requestData: (data) => bytes(`${mark}${data.toString("latin1")}${mark}`),
  responseData: (data) => bytes(`${mark}${data.toString("latin1")}${mark}`),
});

describe("a walk through filters", () => {
  it("passes heads in order, and back the other way round", () => {
    const seen: string[] = [];
    const filter = (name: string): Partial<HttpFilter> => ({
      onRequest: () => go(seen, `${name}>`),
      onResponse: () => go(seen, `<${name}`),
    });
    const { walk, log } = walking([filter("a"), filter("b")]);
    walk.begin(true);
    walk.respond();
    expect([seen, log]).toEqual([
      ["a>", "b>", "<b", "<a"],
      ["request whole", "response"],
    ]);
  });

  it("passes data through filters with state, in either direction", () => {
    const { walk, log } = walking([{ stream: wrap("1") }, {}, { stream: wrap("2") }]);
    walk.begin(false);
    send(walk, "a");
    walk.requestEnd(["t", "v"]);
    walk.respond();
    answer(walk, "b");
    walk.responseEnd(undefined);
    expect(log).toEqual(["request", "> 21a12", "> end t v", "response", "< 12b21", "< end"]);
  });

  it("lets a filter keep data until the end, and see and change trailers", () => {
    let kept = "";
    const keeping: StreamFilter = {
      requestData: (data) => {
        kept += data.toString("latin1");
        return Buffer.alloc(0);
      },
      requestEnd: (trailers) => {
        trailers?.push("kept", String(kept.length));
        return bytes(kept);
      },
    };
    const { walk, log } = walking([{ stream: keeping }, { stream: upper }]);
    walk.begin(false);
    send(walk, "ab");
    send(walk, "c");
    walk.requestEnd(["t", "v"]);
    expect(log).toEqual(["request", "> ABC", "> end t v kept 3"]);
  });

  it("holds a request: what its filter lets go on waits, and passes the rest when it goes on", () => {
    let hold: Hold | undefined;
    const seen: string[] = [];
    const { walk, log } = walking([
      { stream: wrap("1") },
      {
        stream: { requestData: (data) => noted(seen, data) },
        onRequest: () => {
          hold = walk.hold(() => seen.push("closed"));
          return hold;
        },
      },
      { stream: wrap("3") },
    ]);
    walk.begin(false);
    send(walk, "a");
    walk.requestEnd(undefined);
    expect([log, seen]).toEqual([[], ["1a1"]]);
    hold?.resume();
    expect(log).toEqual(["request", "> 31a13", "> end"]);
    expect(seen).toEqual(["1a1", "closed"]);
    walk.close();
    expect(seen).toEqual(["1a1", "closed"]);
  });

  it("holds two filters one after the other, and tells a request without a body whole", () => {
    const holds: Hold[] = [];
    const holding: Partial<HttpFilter> = {
      onRequest: () => {
        const hold = walk.hold(() => {});
        holds.push(hold);
        return hold;
      },
    };
    const { walk, log } = walking([holding, holding]);
    walk.begin(true);
    holds[0]?.resume();
    expect([holds.length, log]).toEqual([2, []]);
    holds[0]?.resume();
    holds[1]?.resume();
    expect(log).toEqual(["request whole"]);
  });

  it("holds a response with its data and its end", () => {
    let hold: Hold | undefined;
    const { walk, log } = walking([
      { stream: wrap("1") },
      {
        onResponse: () => {
          hold = walk.hold(() => {});
          return hold;
        },
      },
      { stream: wrap("3") },
    ]);
    walk.begin(true);
    walk.respond();
    expect(walk.responseWaits).toBe(true);
    answer(walk, "b");
    walk.responseEnd(["t", "v"]);
    expect(log).toEqual(["request whole"]);
    hold?.resume();
    expect(log).toEqual(["request whole", "response", "< 13b31", "< end t v"]);
  });

  it("answers at a filter: only those that saw the request see the response", () => {
    const seen: string[] = [];
    const { walk, log } = walking([
      { onResponse: () => go(seen, "a") },
      {
        onRequest: () => {
          walk.respond();
          return new Replied();
        },
        onResponse: () => go(seen, "b"),
      },
      { onResponse: () => go(seen, "c") },
    ]);
    walk.begin(false);
    expect([seen, log]).toEqual([["b", "a"], ["response"]]);
  });

  it("lets go on at the end of the data, and filters behind see all of it", () => {
    let hold: Hold | undefined;
    const holding: Partial<HttpFilter> & { stream: StreamFilter } = {
      onRequest: () => {
        hold = walk.hold(() => {});
        return hold;
      },
      stream: { requestEnd: () => void hold?.resume() },
    };
    const { walk, log } = walking([holding, { stream: wrap("2") }]);
    walk.begin(false);
    send(walk, "a");
    walk.requestEnd(["t", "v"]);
    expect(log).toEqual(["request", "> 2a2", "> end t v"]);
  });

  it("a response that is held for its data goes on with what a filter made of them, without trailers that were taken", () => {
    let hold: Hold | undefined;
    const { walk, log } = walking([
      { stream: wrap("1") },
      {
        onResponse: () => {
          hold = walk.hold(() => {}, true);
          return hold;
        },
        stream: {
          responseData: () => Buffer.alloc(0),
          responseEnd: (trailers) => {
            trailers.length = 0;
            hold?.resume();
            return Buffer.from("whole");
          },
        },
      },
    ]);
    walk.begin(true);
    walk.respond();
    expect([answer(walk, "b"), walk.readsWhileHeld]).toEqual([true, true]);
    walk.responseEnd(["t", "v"]);
    expect(log.slice(1)).toEqual(["response", "< 1whole1", "< end"]);
  });

  it("lets the rest of a request wait at its client when enough waits here", () => {
    let hold: Hold | undefined;
    const holding = () => {
      hold = walk.hold(() => {});
      return hold;
    };
    const { walk, log } = walking([{ onRequest: holding }], 3);
    walk.begin(false);
    send(walk, "abc");
    expect(log).toEqual([]);
    send(walk, "d");
    send(walk, "e");
    expect(log).toEqual(["pause"]);
    hold?.resume();
    expect(log.slice(1)).toEqual(["request", "> abc", "> d", "> e", "resume"]);
  });

  it("says when more waits than may, where a filter wants it whole", () => {
    const holding = () => {
      walk.limitRequest(3);
      return walk.hold(() => {});
    };
    const { walk, log } = walking([{ onRequest: holding }], 1);
    walk.begin(false);
    send(walk, "abc");
    expect(log).toEqual([]);
    send(walk, "d");
    expect(log).toEqual(["request too large"]);
  });

  it("closes the state of every filter that was opened, once", () => {
    const closed: string[] = [];
    const stream = (name: string): StreamFilter => ({ close: () => void closed.push(name) });
    const { walk } = walking([
      { stream: stream("a") },
      { stream: stream("b"), onRequest: () => walk.hold(() => closed.push("hold")) },
      { stream: stream("never reached") },
    ]);
    walk.begin(false);
    walk.close();
    walk.close();
    expect(closed).toEqual(["hold", "a", "b"]);
  });
});
