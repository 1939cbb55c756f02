/**
 * The option `path` of `attach`: an exact path, `:name` for one segment, a final `*` for any rest. The meaning is that of URLPattern, which Node
 * has from version 24 on (undefined in 22.12 and 22.18, measured). Other forms are refused: use a router for them.
 */
export type Params = Readonly<Record<string, string>>;

/** A literal segment, or the name of one that matches anything but an empty segment. */
type Segment = string | { readonly name: string };

export class PathPattern {
  readonly source: string;
  readonly #segments: readonly Segment[];
  /** If the pattern ends with `*`: what the next segment must begin with. */
  readonly #rest: string | undefined;

  /** @throws TypeError that names the part of the pattern that is not supported. */
  constructor(source: string) {
    this.source = source;
    const segments = segmentsOf(checked(source));
    this.#rest = source.endsWith("*") ? decoded(segments.pop()?.slice(0, -1) ?? "") : undefined;
    this.#segments = segments.map((segment) => (segment.startsWith(":") ? { name: segment.slice(1) } : decoded(segment)));
  }

  /** Whether it matches every path. */
  get takesAll(): boolean {
    return this.#rest === "" && this.#segments.length === 0;
  }

  /** The values of the named segments; undefined if the path does not match. */
  match(pathname: string): Params | undefined {
    const given = segmentsOf(pathname);
    if (this.#rest === undefined ? given.length !== this.#segments.length : given.length <= this.#segments.length) return undefined;
    const params: [name: string, value: string][] = [];
    for (const [index, segment] of this.#segments.entries()) {
      const value = decoded(given[index] as string);
      if (typeof segment === "string" ? value !== segment : value === "") return undefined;
      if (typeof segment === "object") params.push([segment.name, value]);
    }
    if (this.#rest !== undefined && !decoded(given[this.#segments.length] as string).startsWith(this.#rest)) return undefined;
    return Object.fromEntries(params);
  }

  /** Whether it matches every path that the other does. */
  covers(other: PathPattern): boolean {
    if (this.#rest === undefined && other.#rest !== undefined) return false;
    return this.#relates(other, (one, two) => two === one || (isName(one) && (isName(two) || two !== "")), false);
  }

  /** Whether some path matches both patterns. */
  overlaps(other: PathPattern): boolean {
    return this.#relates(other, (one, two) => one === two || (isName(one) && two !== "") || (isName(two) && one !== ""), true);
  }

  #relates(other: PathPattern, fits: (one: Segment, two: Segment) => boolean, either: boolean): boolean {
    const [mine, theirs] = [this.#segments, other.#segments];
    const shared = Math.min(mine.length, theirs.length);
    for (let index = 0; index < shared; index++) if (!fits(mine[index] as Segment, theirs[index] as Segment)) return false;
    // One pattern has no more segments: its rest must match what follows in the other.
    const begins = (rest: string | undefined, next: Segment | undefined, last: string | undefined): boolean => {
      if (rest === undefined) return next === undefined && last === undefined;
      if (next !== undefined) return typeof next === "object" ? either || rest === "" : next.startsWith(rest);
      return last !== undefined && (last.startsWith(rest) || (either && rest.startsWith(last)));
    };
    if (mine.length <= theirs.length && begins(this.#rest, theirs[shared], other.#rest)) return true;
    return either && theirs.length <= mine.length && begins(other.#rest, mine[shared], this.#rest);
  }
}

function isName(segment: Segment): boolean {
  return typeof segment === "object";
}

function segmentsOf(pathname: string): string[] {
  return pathname.slice(1).split("/");
}

/** Percent-decodes one segment: `%77s` equals `ws` (RFC 3986 section 6.2.2.2). An encoded slash does not split the segment. */
function decoded(segment: string): string {
  if (!segment.includes("%")) return segment;
  try {
    return decodeURIComponent(segment);
  } catch {
    return segment;
  }
}

const forms = 'a path is exact ("/ws"), and may have ":name" segments ("/chat/:room") and a last "*" ("/files/*")';

/** Unsupported forms and their explanations in the error. The first match counts. */
const faults: readonly (readonly [what: RegExp, why: string])[] = [
  [/^(?!\/)/, "does not begin with a slash"],
  [/[()]/, "has a group with a regular expression, which is not supported"],
  [/[{}]/, "has a group in braces, which is not supported"],
  [/\\/, "has a backslash, which no path has: URLs make it a slash"],
  [/:\w*[?+*]|\*[?+]/, "has a modifier (?, + or *), which is not supported"],
  [/\?/, "has a query: only the path is looked at"],
  [/#/, "has a fragment, which no request has"],
  [/\*(?!$)/, "has a * that is not its last character"],
  [/\/:(?![A-Za-z_])/, "has a segment whose name is empty, or does not begin with a letter"],
  [/[^/]:/, "has a colon within a segment: write %3A for a colon, or make the whole segment a :name"],
  [/\/:\w*[^\w/]/, "has a name with more than letters, digits and _"],
  [/\/(?:\.|%2e){1,2}(?:\/|$)/i, "has a segment of dots, which URLs resolve"],
];

function checked(source: string): string {
  for (const [what, why] of faults) if (what.test(source)) throw faulty(source, why);
  const names = Array.from(source.matchAll(/:(\w+)/g), ([, name]) => name);
  const twice = names.find((name, index) => names.indexOf(name) !== index);
  if (twice !== undefined) throw faulty(source, `has the name ":${twice}" twice`);
  return source;
}

function faulty(source: string, why: string): TypeError {
  return new TypeError(`attach: option "path" is ${JSON.stringify(source)}, which ${why}: ${forms} [EW621]`);
}
