// Compiles src/encoding/kernels/assembly to WebAssembly and writes it as a module, so that bundles, tests and the
// single executable need no file beside them.
import { readFile, writeFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import asc from 'assemblyscript/asc';

const kernels = new URL('../src/encoding/kernels/', import.meta.url);

export async function buildKernels() {
  let program;
  const options = ['--runtime', 'stub', '--enable', 'simd', '-O3', '--noAssert', '--importMemory'];
  const { error, stderr } = await asc.main(['index.ts', '--outFile', 'kernels.wasm', ...options], {
    // The compiler also asks for names that do not exist; null sends it on to the next.
    readFile: (name) => readFile(new URL(name, new URL('assembly/', kernels)), 'utf8').catch(() => null),
    writeFile: (name, content) => {
      if (name === 'kernels.wasm') program = content;
    },
  });
  if (error) throw new Error(`the kernels do not compile: ${error.message}\n${stderr.toString()}`);
  const base64 = Buffer.from(program).toString('base64');
  const lines = [
    '// Written by scripts/kernels.mjs from assembly/index.ts.',
    'export const KERNELS_BASE64 =',
    `  '${base64}';`,
  ];
  await writeFile(new URL('generated.ts', kernels), `${lines.join('\n')}\n`);
}

if (process.argv[1] === fileURLToPath(import.meta.url)) await buildKernels();
