// Builds the page: one script, one style sheet and the icon, each with its content's hash in the name, and
// manifest.json, which maps page.js to page-<hash>.js. The names let a browser keep a file for ever.
// Run it with `node build.mjs [output folder]`.
import { createHash } from "node:crypto";
import { mkdir, readdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { build, stop } from "esbuild";

const here = path.dirname(fileURLToPath(import.meta.url));
const page = path.join(here, "src", "page");
const target = path.resolve(process.argv[2] ?? path.join(here, "..", "flask_realtime", "static", "dist"));
const manifestName = "manifest.json";

const bundling = {
  bundle: true,
  minify: true,
  target: "es2022",
  charset: "utf8",
  legalComments: "none",
  logLevel: "silent",
  write: false,
};

async function bundled(entry, options) {
  const result = await build({ ...bundling, ...options, entryPoints: [path.join(page, entry)], absWorkingDir: here });
  for (const warning of result.warnings) console.error(`warning: ${described(warning)}`);
  return Buffer.from(result.outputFiles[0].contents);
}

function described({ text, location }) {
  return location ? `${location.file}:${location.line}:${location.column + 1}: ${text}` : text;
}

function hashedName(name, content) {
  const { name: stem, ext } = path.parse(name);
  return `${stem}-${createHash("sha256").update(content).digest("hex").slice(0, 12)}${ext}`;
}

// A server may be reading while this writes: new files first, then the manifest in one step, then the old ones go.
async function publish(files) {
  await mkdir(target, { recursive: true });
  const manifest = {};
  for (const [name, content] of files) {
    manifest[name] = hashedName(name, content);
    await writeFile(path.join(target, manifest[name]), content);
  }
  const fresh = path.join(target, `${manifestName}.new`);
  await writeFile(fresh, `${JSON.stringify(manifest, null, 2)}\n`);
  await rename(fresh, path.join(target, manifestName));
  const kept = new Set([manifestName, ...Object.values(manifest)]);
  for (const name of await readdir(target)) if (!kept.has(name)) await rm(path.join(target, name), { recursive: true });
  return manifest;
}

try {
  const manifest = await publish([
    ["page.js", await bundled("main.ts", { format: "esm" })],
    ["page.css", await bundled("page.css", {})],
    ["icon.svg", await readFile(path.join(page, "icon.svg"))],
  ]);
  console.log(`built ${Object.values(manifest).join(", ")}`);
} catch (error) {
  if (error.errors) for (const fault of error.errors) console.error(`error: ${described(fault)}`);
  else console.error(`error: ${error.message}`);
  process.exitCode = 1;
} finally {
  await stop();
}
