/** What the packages say of where the project lives, all from `repository` in package.json; and the pages that are published. */
import { globSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { mapLinks } from "./links.ts";

/** Stands in `repository` until the project has an address. */
const placeholder = "/OWNER/";

/** `homepage`, `bugs` and `repository` as npm wants them. */
export function addresses(root: string, directory?: string): Record<string, unknown> {
  const { repository } = read(root);
  const url = `git+${repository}.git`;
  return {
    homepage: directory === undefined ? `${repository}#readme` : `${repository}/tree/HEAD/${directory}#readme`,
    bugs: `${repository}/issues`,
    repository: directory === undefined ? { type: "git", url } : { type: "git", url, directory },
  };
}

/** Undefined until `repository` is set. */
export function addressOf(root: string): string | undefined {
  const { repository } = read(root);
  return repository.includes(placeholder) ? undefined : repository;
}

/** Pages, the vectors that they name, and the licence. Pictures and this repository's own pages are not published. */
export function pageFiles(root: string): string[] {
  const docs = globSync(["docs/**/*.md", "docs/vectors.json"], { cwd: root }).toSorted();
  return ["CHANGELOG.md", "LICENSE", "README.md", "SECURITY.md", ...docs];
}

/** A page whose links to what is not published lead to this version in the repository. */
export function publishedPage(root: string, page: string, published: readonly string[]): string {
  const { repository, version } = read(root);
  const isThere = (path: string): boolean => published.some((file) => file === path || file.startsWith(`${path}/`));
  return mapLinks(page, readFileSync(join(root, page), "utf8"), (path) => {
    if (isThere(path)) return undefined;
    return `${repository}/${/\.(?:png|svg)$/.test(path) ? "raw" : "blob"}/v${version}/${path}`;
  });
}

function read(root: string): { readonly repository: string; readonly version: string } {
  return JSON.parse(readFileSync(join(root, "package.json"), "utf8")) as never;
}
