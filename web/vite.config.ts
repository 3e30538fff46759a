import { defineConfig } from 'vite';

// The page's policy allows no inline script, style or font: nothing is inlined, nothing is loaded
// from elsewhere.
export default defineConfig({
  build: {
    target: 'es2022',
    assetsInlineLimit: 0,
    cssCodeSplit: false,
    modulePreload: { polyfill: false },
    reportCompressedSize: false,
  },
});
