import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { constants, gzipSync } from "node:zlib";

import react from "@vitejs/plugin-react";
import { defineConfig } from "vitest/config";
import type { Plugin } from "vite";

import { components } from "./components.ts";

const OUT = fileURLToPath(new URL("../src/shuke/app/console_files", import.meta.url));

/** Every text is there compressed, too, so that the server sends it as it lies. */
function compressed(): Plugin {
  return {
    name: "compressed",
    apply: "build",
    closeBundle() {
      const folder = join(OUT, "assets");
      for (const name of readdirSync(folder)) {
        if (/\.(js|css|svg)$/.test(name)) {
          const text = readFileSync(join(folder, name));
          writeFileSync(join(folder, `${name}.gz`), gzipSync(text, { level: constants.Z_BEST_COMPRESSION }));
        }
      }
    },
  };
}

export default defineConfig({
  plugins: [react(), components(), compressed()],
  resolve: { alias: { "@": fileURLToPath(new URL("./src", import.meta.url)) } },
  build: {
    outDir: OUT,
    emptyOutDir: true,
    target: "es2022",
    // A data address in a style is one more thing that the page's policy would have to allow.
    assetsInlineLimit: 0,
    chunkSizeWarningLimit: 1200,
    license: { fileName: "licenses.md" },
  },
  server: { proxy: { "/api": "http://127.0.0.1:8600" } },
  test: { include: ["src/**/*.test.ts"], environment: "node" },
});
