// Runs the page's own tests with node's test runner: every *.test.ts under src/ and tests/, bundled first because
// Node 20 reads no TypeScript. Run it with `node test.mjs [part of a path]...`.
import { spawn } from "node:child_process";
import { mkdir, readdir, rm } from "node:fs/promises";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";

const here = path.dirname(fileURLToPath(import.meta.url));
const bundles = path.join(here, "node_modules", ".cache", "tests", String(process.pid));

async function testFiles(folder) {
  const entries = await readdir(path.join(here, folder), { recursive: true }).catch((error) => {
    if (error.code === "ENOENT") return [];
    throw error;
  });
  return entries.filter((name) => name.endsWith(".test.ts")).map((name) => path.join(folder, name));
}

const wanted = process.argv.slice(2);
const all = [...(await testFiles("src")), ...(await testFiles("tests"))].sort();
const files = wanted.length ? all.filter((file) => wanted.some((part) => file.includes(part))) : all;
if (files.length === 0) {
  console.error(`no test file matches: ${wanted.join(" ") || "*.test.ts under src/ and tests/"}`);
  process.exit(1);
}
await mkdir(bundles, { recursive: true });
try {
  await build({
    absWorkingDir: here,
    entryPoints: files,
    outdir: bundles,
    outbase: here,
    outExtension: { ".js": ".mjs" },
    bundle: true,
    platform: "node",
    format: "esm",
    target: "node20",
    packages: "external",
    sourcemap: "inline",
    logLevel: "warning",
  });
  const bundled = files.map((file) => path.join(bundles, file.replace(/\.ts$/, ".mjs")));
  const runner = spawn(process.execPath, ["--enable-source-maps", "--test", "--test-reporter=spec", ...bundled], { cwd: here, stdio: "inherit" });
  process.exitCode = await new Promise((resolve, reject) => {
    runner.once("error", reject);
    runner.once("exit", (code, signal) => resolve(signal ? 1 : code));
  });
} finally {
  await rm(bundles, { recursive: true, force: true });
}
