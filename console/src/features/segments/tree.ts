/** What a segment says while it is edited: a tree of statements and groups, changed by the place of a part. Pure. */
import type { components } from "@/platform/schema";

export type Node = components["schemas"]["TreeBody"]["definition"];
export type Group = components["schemas"]["Group"];
export type Statement = Exclude<Node, Group>;
export type Joined = Group["node"];

/** Statements and groups with a number each, by which they stay the same while they are moved and changed. */
export type Draft = GroupDraft | StatementDraft;
export interface GroupDraft {
  key: number;
  node: Joined;
  of: Draft[];
}
export interface StatementDraft {
  key: number;
  says: Statement;
}

/** The way from the outermost group: which of its parts, which of that one's, and so on. */
export type Path = readonly number[];

export const EVERYBODY: Group = { node: "all", of: [] };

export function isGroup(draft: Draft): draft is GroupDraft {
  return "of" in draft;
}

/** A definition to be edited; the outermost is a group, so that there is always where to put another statement. */
export function draftOf(definition: Node): GroupDraft {
  let keys = 0;
  const made = (node: Node): Draft =>
    inGroups(node) ? { key: ++keys, node: node.node, of: node.of.map(made) } : { key: ++keys, says: node };
  const draft = made(definition);
  return isGroup(draft) ? draft : { key: ++keys, node: "all", of: [draft] };
}

/** What the draft says. */
export function definitionOf(draft: GroupDraft): Group {
  const said = (one: Draft): Node => (isGroup(one) ? { node: one.node, of: one.of.map(said) } : one.says);
  return { node: draft.node, of: draft.of.map(said) };
}

function inGroups(node: Node): node is Group {
  return node.node === "all" || node.node === "any" || node.node === "none";
}

/** A number that none of the draft's parts has. */
export function newKey(root: GroupDraft): number {
  return Math.max(...partsOf(root).map((one) => one.key)) + 1;
}

/** The draft's parts, itself first, in the order in which they are read. */
export function partsOf(draft: Draft): Draft[] {
  return isGroup(draft) ? [draft, ...draft.of.flatMap(partsOf)] : [draft];
}

export function partAt(root: GroupDraft, path: Path): Draft | null {
  let found: Draft | undefined = root;
  for (const at of path) {
    if (!found || !isGroup(found)) return null;
    found = found.of[at];
  }
  return found ?? null;
}

export function pathOf(root: GroupDraft, key: number): Path | null {
  if (root.key === key) return [];
  for (const [at, one] of root.of.entries()) {
    if (one.key === key) return [at];
    const below = isGroup(one) ? pathOf(one, key) : null;
    if (below) return [at, ...below];
  }
  return null;
}

/** The group with other parts; where the path leads to no group, all stays as it is. */
function withParts(root: GroupDraft, group: Path, change: (parts: readonly Draft[]) => Draft[]): GroupDraft {
  const [at, ...rest] = group;
  if (at === undefined) return { ...root, of: change(root.of) };
  return {
    ...root,
    of: root.of.map((one, number) => (number === at && isGroup(one) ? withParts(one, rest, change) : one)),
  };
}

function parentOf(path: Path): [Path, number] {
  return [path.slice(0, -1), path.at(-1) ?? 0];
}

/** The draft with something more in a group, before the part that is there. */
export function inserted(root: GroupDraft, group: Path, at: number, part: Draft): GroupDraft {
  return withParts(root, group, (parts) => [...parts.slice(0, at), part, ...parts.slice(at)]);
}

export function replaced(root: GroupDraft, path: Path, part: Draft): GroupDraft {
  if (path.length === 0) return isGroup(part) ? part : root;
  const [group, at] = parentOf(path);
  return withParts(root, group, (parts) => parts.map((one, number) => (number === at ? part : one)));
}

export function removed(root: GroupDraft, path: Path): GroupDraft {
  if (path.length === 0) return root;
  const [group, at] = parentOf(path);
  return withParts(root, group, (parts) => parts.filter((_, number) => number !== at));
}

/** A part in a group of its own. */
export function wrapped(root: GroupDraft, path: Path, node: Joined): GroupDraft {
  const part = partAt(root, path);
  return part && path.length > 0 ? replaced(root, path, { key: newKey(root), node, of: [part] }) : root;
}

/** The parts of a group in its place. */
export function unwrapped(root: GroupDraft, path: Path): GroupDraft {
  const part = partAt(root, path);
  if (!part || !isGroup(part) || path.length === 0) return root;
  const [group, at] = parentOf(path);
  return withParts(root, group, (parts) => [...parts.slice(0, at), ...part.of, ...parts.slice(at + 1)]);
}

/** A part once more, below itself. */
export function copied(root: GroupDraft, path: Path): GroupDraft {
  const part = partAt(root, path);
  if (!part || path.length === 0) return root;
  let keys = newKey(root);
  const again = (one: Draft): Draft =>
    isGroup(one) ? { ...one, key: keys++, of: one.of.map(again) } : { ...one, key: keys++ };
  const [group, at] = parentOf(path);
  return inserted(root, group, at + 1, again(part));
}

/** A part in another place: before the part `at` of a group as it is now. No group goes into itself. */
export function movedTo(root: GroupDraft, from: Path, group: Path, at: number): GroupDraft {
  const part = partAt(root, from);
  if (!part || from.length === 0 || begins(group, from)) return root;
  const target = partAt(root, group);
  if (!target || !isGroup(target)) return root;
  const [home, place] = parentOf(from);
  const without = removed(root, from);
  const path = pathOf(without, target.key);
  // What stood behind it has come one nearer.
  const nearer = same(home, group) && place < at ? 1 : 0;
  return path ? inserted(without, path, at - nearer, part) : root;
}

export type Step = "up" | "down" | "into" | "out";

/** Where a part goes by a step; null where it cannot. `into` is the group above it, else the one below. */
export function stepOf(root: GroupDraft, path: Path, step: Step): GroupDraft | null {
  if (path.length === 0) return null;
  const [home, at] = parentOf(path);
  const group = partAt(root, home);
  if (!group || !isGroup(group)) return null;
  if (step === "up") return at === 0 ? null : movedTo(root, path, home, at - 1);
  if (step === "down") return at === group.of.length - 1 ? null : movedTo(root, path, home, at + 2);
  if (step === "out") {
    const [above, place] = parentOf(home);
    return home.length === 0 ? null : movedTo(root, path, above, place + 1);
  }
  const before = group.of[at - 1];
  if (before && isGroup(before)) return movedTo(root, path, [...home, at - 1], before.of.length);
  const after = group.of[at + 1];
  return after && isGroup(after) ? movedTo(root, path, [...home, at + 1], 0) : null;
}

function begins(path: Path, beginning: Path): boolean {
  return beginning.every((at, number) => path[number] === at);
}

function same(one: Path, other: Path): boolean {
  return one.length === other.length && begins(one, other);
}

/** The statement, or group, that an error's place such as `all/of/0/did/window` is in. */
export function pathOfPlace(definition: Group, place: string): Path {
  const path: number[] = [];
  let node: Node = definition;
  for (const word of place.split("/")) {
    if (!inGroups(node)) break;
    // The others are the names of nodes, and the word `of`.
    if (!/^\d+$/.test(word)) continue;
    const next: Node | undefined = node.of[Number(word)];
    if (!next) break;
    path.push(Number(word));
    node = next;
  }
  return path;
}

/** The statements of a definition that another has not, each as often as it has more of it. */
export function onlyIn(definition: Group, other: Group): ReadonlySet<number> {
  const left = new Map<string, number>();
  for (const one of partsOf(draftOf(other)))
    if (!isGroup(one)) left.set(canonical(one.says), (left.get(canonical(one.says)) ?? 0) + 1);
  const found = new Set<number>();
  for (const one of partsOf(draftOf(definition))) {
    if (isGroup(one)) continue;
    const said = canonical(one.says);
    const more = left.get(said) ?? 0;
    if (more > 0) left.set(said, more - 1);
    else found.add(one.key);
  }
  return found;
}

/** The same text for the same value, whatever the order of its names. */
export function canonical(value: unknown): string {
  return JSON.stringify(value, (_, inner: unknown) =>
    typeof inner === "object" && inner !== null && !Array.isArray(inner)
      ? Object.fromEntries(Object.entries(inner).sort(([one], [other]) => (one < other ? -1 : 1)))
      : inner,
  );
}
