/** The source as TypeScript sees it: its files, and the checker of the project that each is in. */
import { globSync } from "node:fs";
import { join, relative } from "node:path";
import type { Node, SourceFile } from "typescript/unstable/ast";
import { API } from "typescript/unstable/sync";
import type { Project } from "typescript/unstable/sync";

export interface File {
  /** From the root, with slashes. */
  readonly path: string;
  readonly source: SourceFile;
  readonly project: Project;
}

export interface Program extends Disposable {
  /** The files of src/ and adapters/ by path, sorted. */
  readonly files: ReadonlyMap<string, File>;
  /** The one at an absolute path. */
  fileAt(path: string | undefined): File | undefined;
}

export function openProgram(root: string): Program {
  const api = new API({ cwd: root });
  const configs = [
    "src/tsconfig.json",
    ...globSync("adapters/**/tsconfig.json", { cwd: root, exclude: (name) => name === "node_modules" }),
  ];
  const snapshot = api.updateSnapshot({ openProjects: configs.map((config) => join(root, config)) });
  const files = snapshot.getProjects().flatMap((project) => project.rootFiles.map((name) => readFile(root, project, name)));
  const byPath = new Map(files.toSorted((one, two) => (one.path < two.path ? -1 : 1)).map((file) => [file.path, file]));
  return {
    files: byPath,
    fileAt: (path) => (path === undefined ? undefined : byPath.get(pathIn(root, path))),
    [Symbol.dispose]: () => api.close(),
  };
}

function readFile(root: string, project: Project, name: string): File {
  const source = project.program.getSourceFile(name);
  if (source === undefined) throw new Error(`${name} is not in its own project`);
  return { path: pathIn(root, name), source, project };
}

function pathIn(root: string, path: string): string {
  return relative(root, path).replaceAll("\\", "/");
}

export function lineOf({ source }: File, node: Node): number {
  return source.text.slice(0, node.getStart(source)).split("\n").length;
}

/** The node and everything in it, outside first. */
export function* nodesIn(node: Node): Generator<Node> {
  yield node;
  const children: Node[] = [];
  node.forEachChild((child) => void children.push(child));
  for (const child of children) yield* nodesIn(child);
}
