/** Both languages say the same things, with the same values in them. */
import { describe, expect, it } from "vitest";

const files = import.meta.glob<Record<string, unknown>>("../**/locale/*.json", { eager: true, import: "default" });

function flat(tree: object, prefix = ""): [string, string][] {
  return Object.entries(tree).flatMap(([key, value]): [string, string][] =>
    typeof value === "string" ? [[prefix + key, value]] : flat(value as object, `${prefix}${key}.`),
  );
}

function holes(text: string): string[] {
  return [...text.matchAll(/\{\{\s*(\w+)/g)].map(([, name]) => name ?? "").sort();
}

/** Chinese has one form for any number; English has two. */
function forms(texts: [string, string][]): Map<string, string> {
  return new Map(texts.map(([key, text]) => [key.replace(/_(one|other)$/, ""), text]));
}

const rooms = Object.keys(files).filter((file) => file.endsWith("/en.json"));

describe.each(rooms)("%s", (file) => {
  const english = forms(flat(files[file] ?? {}));
  const chinese = forms(flat(files[file.replace("en.json", "zh-CN.json")] ?? {}));
  it("is whole in both languages", () => {
    expect([...chinese.keys()].sort()).toEqual([...english.keys()].sort());
    for (const [key, text] of english) {
      const other = chinese.get(key) ?? "";
      expect(holes(other), key).toEqual(holes(text));
      expect(text.trim() && other.trim(), key).not.toBe("");
    }
  });
});

it("finds the rooms", () => {
  expect(rooms.length).toBeGreaterThan(4);
});
