// How the four pages are built: no inline asset, no polyfill script, hashed names below assets/.
import { defineConfig } from "vitest/config";

export default defineConfig({
  base: "/",
  build: {
    outDir: "../putlive/api/static",
    emptyOutDir: true,
    assetsInlineLimit: 0, // the content security policy allows no data: fonts or scripts
    modulePreload: { polyfill: false },
    reportCompressedSize: false,
    chunkSizeWarningLimit: 700, // hls.js alone; the real budget is scripts/size.mjs
    rolldownOptions: { input: ["index.html", "embed.html", "login.html", "dashboard.html"] },
  },
  test: { include: ["tests/**/*.test.ts"], environment: "node" },
});
