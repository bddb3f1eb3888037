// Builds dist/: the program and its worker threads as ES modules. Run by `npm ci` (prepare) and by every npm script.
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import { buildKernels } from './kernels.mjs';

/** How every bundle is made; scripts/executable.mjs adds to it. */
export const bundling = {
  outExtension: { '.js': '.mjs' },
  bundle: true,
  splitting: true,
  chunkNames: 'chunk-[hash]',
  platform: 'node',
  target: 'node20',
  format: 'esm',
  logLevel: 'warning',
};

export const serverEntryPoints = {
  muster: 'src/cli/main.ts',
  thread: 'src/server/thread.ts',
  blockWorker: 'src/server/blockWorker.ts',
};

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  await buildKernels();
  await build({
    ...bundling,
    entryPoints: {
      ...serverEntryPoints,
      simulate: 'src/simulation/main.ts',
      bench: 'bench/main.ts',
      verify: 'bench/verify.ts',
    },
    outdir: 'dist',
    packages: 'external',
    sourcemap: true,
  });
}
