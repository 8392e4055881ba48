import { describe, expect, it } from "vitest";

import {
  copied,
  definitionOf,
  draftOf,
  inserted,
  isGroup,
  movedTo,
  newKey,
  onlyIn,
  partAt,
  partsOf,
  pathOf,
  pathOfPlace,
  removed,
  replaced,
  stepOf,
  unwrapped,
  wrapped,
  type Group,
  type GroupDraft,
  type Node,
  type Path,
  type Statement,
} from "./tree";

function tag(name: string): Statement {
  return { node: "tag", tag: name };
}

function group(node: Group["node"], ...of: Node[]): Group {
  return { node, of };
}

/** `a`, `b`, a group of `c` and `d`, `e`. */
const TREE = group("all", tag("a"), tag("b"), group("any", tag("c"), tag("d")), tag("e"));

function said(draft: GroupDraft | null): string {
  const one = (node: Node): string =>
    node.node === "tag"
      ? node.tag
      : node.node === "all" || node.node === "any" || node.node === "none"
        ? `${node.node}(${node.of.map(one).join(" ")})`
        : "?";
  return draft ? one(definitionOf(draft)) : "nowhere";
}

describe("a draft", () => {
  it("says what the definition says", () => {
    expect(definitionOf(draftOf(TREE))).toEqual(TREE);
    expect(said(draftOf(tag("a")))).toBe("all(a)");
  });
  it("has a number for each part, and finds it by that", () => {
    const draft = draftOf(TREE);
    const keys = partsOf(draft).map((one) => one.key);
    expect(new Set(keys).size).toBe(7);
    expect(keys).not.toContain(newKey(draft));
    for (const key of keys) expect(partAt(draft, pathOf(draft, key) ?? [9])?.key).toBe(key);
    expect(pathOf(draft, 99)).toBeNull();
    expect(partAt(draft, [0, 0])).toBeNull();
  });
});

describe("changes", () => {
  const draft = draftOf(TREE);
  const x = { key: 99, says: tag("x") };
  it("are made where the path leads", () => {
    expect(said(inserted(draft, [2], 1, x))).toBe("all(a b any(c x d) e)");
    expect(said(inserted(draft, [], 4, x))).toBe("all(a b any(c d) e x)");
    expect(said(replaced(draft, [2, 1], x))).toBe("all(a b any(c x) e)");
    expect(said(removed(draft, [2]))).toBe("all(a b e)");
    expect(said(wrapped(draft, [1], "none"))).toBe("all(a none(b) any(c d) e)");
    expect(said(unwrapped(draft, [2]))).toBe("all(a b c d e)");
    expect(said(copied(draft, [2]))).toBe("all(a b any(c d) any(c d) e)");
    expect(new Set(partsOf(copied(draft, [2])).map((one) => one.key)).size).toBe(10);
  });
  it("leave the outermost group", () => {
    expect(removed(draft, [])).toBe(draft);
    expect(wrapped(draft, [], "any")).toBe(draft);
    expect(unwrapped(draft, [])).toBe(draft);
    expect(replaced(draft, [], x)).toBe(draft);
    expect(unwrapped(draft, [0])).toBe(draft);
  });
});

describe("moving", () => {
  const draft = draftOf(TREE);
  const cases: [Path, Path, number, string][] = [
    [[0], [], 2, "all(b a any(c d) e)"],
    [[3], [], 0, "all(e a b any(c d))"],
    [[0], [2], 1, "all(b any(c a d) e)"],
    [[2, 0], [], 0, "all(c a b any(d) e)"],
    [[2, 0], [2], 2, "all(a b any(d c) e)"],
    [[0], [], 0, "all(a b any(c d) e)"],
  ];
  it.each(cases)("%j to %j before %i", (from, to, at, after) => {
    expect(said(movedTo(draft, from, to, at))).toBe(after);
    // It is the same part, wherever it is.
    const key = partAt(draft, from)?.key ?? 0;
    expect(pathOf(movedTo(draft, from, to, at), key)).not.toBeNull();
  });
  it("puts no group into itself, and nothing into a statement", () => {
    expect(movedTo(draft, [2], [2], 0)).toBe(draft);
    expect(movedTo(draft, [0], [1], 0)).toBe(draft);
    expect(movedTo(draft, [], [2], 0)).toBe(draft);
  });
  it("goes by steps, where there is a way", () => {
    expect(said(stepOf(draft, [1], "up"))).toBe("all(b a any(c d) e)");
    expect(said(stepOf(draft, [1], "down"))).toBe("all(a any(c d) b e)");
    expect(said(stepOf(draft, [1], "into"))).toBe("all(a any(b c d) e)");
    expect(said(stepOf(draft, [3], "into"))).toBe("all(a b any(c d e))");
    expect(said(stepOf(draft, [2, 0], "out"))).toBe("all(a b any(d) c e)");
    for (const [path, step] of [
      [[0], "up"],
      [[3], "down"],
      [[0], "into"],
      [[0], "out"],
      [[], "down"],
    ] as const)
      expect(stepOf(draft, path, step)).toBeNull();
  });
});

describe("the place of an error", () => {
  it("is that of the statement, as both say it that check", () => {
    expect(pathOfPlace(TREE, "all/of/0/window")).toEqual([0]);
    expect(pathOfPlace(TREE, "all/of/2/of/1/test")).toEqual([2, 1]);
    expect(pathOfPlace(TREE, "all/of/2/any/of/1/did/what/orders/amount")).toEqual([2, 1]);
    expect(pathOfPlace(TREE, "all/of/0/what/where/3")).toEqual([0]);
    expect(pathOfPlace(TREE, "all")).toEqual([]);
    expect(pathOfPlace(TREE, "all/of/7")).toEqual([]);
  });
});

describe("two definitions", () => {
  it("differ by the statements that only one has, however these are written", () => {
    const other = group("all", tag("b"), { tag: "a", node: "tag" }, tag("a"), tag("x"));
    const names = (of: Group, keys: ReadonlySet<number>) =>
      partsOf(draftOf(of))
        .filter((one) => keys.has(one.key))
        .map((one) => (isGroup(one) ? "" : "tag" in one.says ? one.says.tag : ""));
    expect(names(TREE, onlyIn(TREE, other))).toEqual(["c", "d", "e"]);
    expect(names(other, onlyIn(other, TREE))).toEqual(["a", "x"]);
    expect(onlyIn(TREE, TREE).size).toBe(0);
  });
});
