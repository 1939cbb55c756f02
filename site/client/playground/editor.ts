/** The editor: CodeMirror with TypeScript, in the site's colours. Tab leaves it, as everything else on the page. */
import { closeBrackets, closeBracketsKeymap } from "@codemirror/autocomplete";
import { defaultKeymap, history, historyKeymap } from "@codemirror/commands";
import { javascript } from "@codemirror/lang-javascript";
import { HighlightStyle, bracketMatching, ensureSyntaxTree, indentOnInput, syntaxHighlighting } from "@codemirror/language";
import { lintGutter, setDiagnostics } from "@codemirror/lint";
import { EditorState } from "@codemirror/state";
import { EditorView, drawSelection, highlightActiveLine, keymap, lineNumbers } from "@codemirror/view";
import { tags } from "@lezer/highlight";

export interface EditorListener {
  run(): void;
  changed(): void;
}

/** Milliseconds that the search for a mistake may take. */
const patience = 500;

const style = HighlightStyle.define([
  { tag: [tags.keyword, tags.modifier, tags.bool, tags.null], color: "var(--code-keyword)" },
  { tag: [tags.string, tags.regexp, tags.special(tags.string)], color: "var(--code-string)" },
  { tag: tags.comment, color: "var(--code-comment)" },
  { tag: tags.number, color: "var(--code-number)" },
  {
    tag: [tags.function(tags.variableName), tags.function(tags.propertyName), tags.definition(tags.propertyName)],
    color: "var(--code-title)",
  },
  { tag: [tags.typeName, tags.className], color: "var(--code-type)" },
]);

export class Editor {
  readonly #view: EditorView;
  /** What is set from outside is no change of the user's. */
  #isSetting = false;

  constructor(parent: Element, listener: EditorListener) {
    const run = (): boolean => {
      listener.run();
      return true;
    };
    this.#view = new EditorView({
      parent,
      state: EditorState.create({
        extensions: [
          // Before the usual keys, of which one would insert a line.
          keymap.of([{ key: "Mod-Enter", run }]),
          lineNumbers(),
          history(),
          drawSelection(),
          indentOnInput(),
          bracketMatching(),
          closeBrackets(),
          highlightActiveLine(),
          EditorView.lineWrapping,
          lintGutter(),
          javascript({ typescript: true }),
          syntaxHighlighting(style),
          keymap.of([...closeBracketsKeymap, ...defaultKeymap, ...historyKeymap]),
          EditorView.contentAttributes.of({ "aria-label": "Handler", spellcheck: "false", tabindex: "0" }),
          EditorView.updateListener.of(({ docChanged }) => {
            if (docChanged && !this.#isSetting) listener.changed();
          }),
        ],
      }),
    });
  }

  get code(): string {
    return this.#view.state.doc.toString();
  }

  set code(text: string) {
    const { state } = this.#view;
    this.#isSetting = true;
    this.#view.dispatch({ changes: { from: 0, to: state.doc.length, insert: text }, selection: { anchor: 0 }, scrollIntoView: true });
    this.#isSetting = false;
  }

  /** Marks a line. Lines and columns count from 1. */
  mark(line: number, column: number, message: string): void {
    const { doc } = this.#view.state;
    const at = doc.line(Math.min(Math.max(line, 1), doc.lines));
    const from = Math.min(at.from + Math.max(column - 1, 0), at.to);
    this.#view.dispatch(setDiagnostics(this.#view.state, [{ from, to: at.to, severity: "error", message }]));
  }

  clearMarks(): void {
    this.#view.dispatch(setDiagnostics(this.#view.state, []));
  }

  /** Where the parser stumbles first: an engine does not tell the line of a syntax error. */
  firstMistake(): { readonly line: number; readonly column: number } | undefined {
    const { state } = this.#view;
    let found: number | undefined;
    ensureSyntaxTree(state, state.doc.length, patience)?.iterate({
      enter: ({ type, from }) => {
        if (type.isError) found ??= from;
        return found === undefined;
      },
    });
    if (found === undefined) return undefined;
    const line = state.doc.lineAt(found);
    return { line: line.number, column: found - line.from + 1 };
  }
}
