// Builds dist/: the program and its worker thread as ES modules. Run by `npm ci` (prepare) and by every npm script.
import { build } from 'esbuild';
import { buildKernels } from './kernels.mjs';

await buildKernels();
await build({
  entryPoints: {
    muster: 'src/cli/main.ts',
    thread: 'src/server/thread.ts',
    simulate: 'src/simulation/main.ts',
    bench: 'bench/main.ts',
  },
  outdir: 'dist',
  outExtension: { '.js': '.mjs' },
  bundle: true,
  splitting: true,
  chunkNames: 'chunk-[hash]',
  platform: 'node',
  target: 'node20',
  format: 'esm',
  packages: 'external',
  sourcemap: true,
  logLevel: 'warning',
});
