import { button, el, setText } from "./dom";
import { binarySize } from "./fieldbounds";
import { CONTROL_STATE, markInvalid, type FieldControl } from "./fieldcontrol";
import { FieldError } from "./fielderror";
import { formatBytes } from "./format";
import type { Field } from "./parameters";
import type { Upload, Uploads } from "./uploads";

type State =
  | { readonly kind: "none" }
  | { readonly kind: "sending"; readonly name: string; readonly abort: AbortController }
  | { readonly kind: "there"; readonly upload: Upload }
  | { readonly kind: "failed"; readonly name: string; readonly message: string };

/** Lets no file that is dropped beside its field take the place of the page. */
export function refuseStrayDrops(): void {
  for (const name of ["dragover", "drop"] as const) {
    window.addEventListener(name, (event) => {
      if (event.defaultPrevented || !event.dataTransfer?.types.includes("Files")) return;
      event.preventDefault();
      event.dataTransfer.dropEffect = "none";
    });
  }
}

/** A file that is chosen or dropped, and sent at once. */
export class UploadControl implements FieldControl {
  readonly element = el("div", "upload");
  readonly target: HTMLInputElement;
  readonly #choose = el("span", "button", "Choose a file");
  readonly #hint = el("span", "upload-hint", "or drop it here");
  readonly #name = el("span", "upload-name");
  readonly #bar = el("progress", "upload-bar");
  readonly #remove: HTMLButtonElement;
  #state: State = { kind: "none" };

  constructor(
    private readonly field: Field,
    private readonly uploads: Uploads,
  ) {
    this.target = el("input", "upload-input");
    this.target.type = "file";
    this.#bar.max = 1;
    this.#bar.setAttribute("aria-label", `${field.label}: sent`);
    this.#remove = button("×", "button quiet", () => {
      this.#discard();
      this.target.focus();
    });
    const pick = el("label", "upload-pick", this.target, this.#choose, this.#hint);
    this.element.append(pick, this.#name, this.#bar, this.#remove);
    this.target.addEventListener("change", () => {
      const files = [...(this.target.files ?? [])];
      // The same file, changed meanwhile, can be chosen again.
      this.target.value = "";
      this.#take(files);
    });
    this.#listenToDrops();
    this.#show({ kind: "none" });
  }

  value(): unknown {
    switch (this.#state.kind) {
      case "there":
        return this.#state.upload.id;
      case "sending":
        throw new FieldError(this.field.name, "The file is still being sent.");
      case "failed":
        throw new FieldError(this.field.name, this.#state.message);
      case "none":
        if (this.field.required && !this.field.nullable) throw new FieldError(this.field.name, "Please choose a file.");
        return this.field.required ? null : undefined;
    }
  }

  /** A file of another run is gone with it. */
  fill(): boolean {
    return false;
  }

  reset(): void {
    this.#discard();
  }

  taken(): void {
    if (this.#state.kind === "there") this.uploads.taken(this.#state.upload.id);
    this.#show({ kind: "none" });
  }

  get isInitial(): boolean {
    return this.#state.kind === "none";
  }

  get isBusy(): boolean {
    return this.#state.kind === "sending";
  }

  get failure(): string {
    return this.#state.kind === "failed" ? this.#state.message : "";
  }

  mark(isWrong: boolean): void {
    markInvalid(this.target, isWrong);
  }

  focus(): void {
    this.target.focus();
  }

  #listenToDrops(): void {
    const over = (isOver: boolean) => this.element.classList.toggle("is-over", isOver);
    this.element.addEventListener("dragover", (event) => {
      if (!event.dataTransfer?.types.includes("Files")) return;
      event.preventDefault();
      event.dataTransfer.dropEffect = "copy";
      over(true);
    });
    this.element.addEventListener("dragleave", (event) => {
      if (!(event.relatedTarget instanceof Node && this.element.contains(event.relatedTarget))) over(false);
    });
    this.element.addEventListener("drop", (event) => {
      over(false);
      if (!event.dataTransfer?.types.includes("Files")) return;
      event.preventDefault();
      const folder = [...event.dataTransfer.items].some((item) => item.webkitGetAsEntry()?.isDirectory);
      if (folder) this.#refuse("", "A folder cannot be sent: choose a file.");
      else this.#take([...event.dataTransfer.files]);
    });
  }

  #take(files: readonly File[]): void {
    const [file] = files;
    const { maxBytes } = this.field.bounds;
    if (!file) return;
    if (files.length > 1) {
      this.#refuse("", `Only one file; these are ${files.length}.`);
    } else if (maxBytes !== null && file.size > maxBytes) {
      this.#refuse(file.name, `This file has ${binarySize(file.size)}; at most ${binarySize(maxBytes)}.`);
    } else {
      void this.#send(file);
    }
  }

  #refuse(name: string, message: string): void {
    this.#discard();
    this.#show({ kind: "failed", name, message });
  }

  async #send(file: File): Promise<void> {
    this.#discard();
    const abort = new AbortController();
    const { signal } = abort;
    this.#bar.value = 0;
    this.#show({ kind: "sending", name: file.name, abort });
    try {
      const upload = await this.uploads.send(file, (share) => (this.#bar.value = share), signal);
      // The answer had been on its way when another file was chosen.
      if (signal.aborted) this.#forget(upload);
      else this.#show({ kind: "there", upload });
    } catch (error) {
      if (signal.aborted) return;
      const message = error instanceof Error ? error.message : String(error);
      this.#show({ kind: "failed", name: file.name, message });
    }
  }

  /** Chooses nothing: what is on its way is given up, and what is on the server removed there. */
  #discard(): void {
    const state = this.#state;
    if (state.kind === "sending") state.abort.abort();
    if (state.kind === "there") this.#forget(state.upload);
    this.#show({ kind: "none" });
  }

  #forget(upload: Upload): void {
    // The server removes by itself what no run takes: nobody has to do anything about a failure.
    this.uploads.remove(upload.id).catch((error: unknown) => console.warn(`${upload.name} stays for now:`, error));
  }

  #show(state: State): void {
    this.#state = state;
    this.element.dataset["state"] = state.kind;
    const name = nameOf(state);
    setText(this.#choose, name === "" ? "Choose a file" : "Choose another");
    this.#hint.hidden = name !== "";
    this.#name.hidden = name === "";
    setText(this.#name, state.kind === "there" ? `${name}, ${formatBytes(state.upload.bytes)}` : name);
    this.#name.title = name;
    this.#bar.hidden = state.kind !== "sending";
    this.#remove.hidden = name === "";
    const act = state.kind === "sending" ? "Stop sending" : "Remove";
    this.#remove.setAttribute("aria-label", `${act} ${name}`);
    this.#remove.title = act;
    this.element.dispatchEvent(new CustomEvent(CONTROL_STATE, { bubbles: true }));
  }
}

function nameOf(state: State): string {
  switch (state.kind) {
    case "none":
      return "";
    case "there":
      return state.upload.name;
    default:
      return state.name;
  }
}
