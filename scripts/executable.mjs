// Writes dist/muster, or the file named: Node with the program inside, for a host that has nothing else
// (docs/decisions/0003-single-executable.md). It is of the platform and the version of the Node that runs this.
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  chmod,
  copyFile,
  cp,
  mkdtemp,
  readdir,
  readFile,
  rename,
  rm,
  stat,
  writeFile,
} from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import { bundling, serverEntryPoints } from './build.mjs';

/** In every Node binary: the place that says whether a program is inside. */
const FUSE = 'NODE_SEA_FUSE_fce680ab2cc467b6e072b8b5df1996b2';
const SAMPLE = 'samples/online-retail.ndjson.gz';

/** Libraries that choose their addon at run time, where esbuild does not see it, and the addon for this Node. */
const ADDONS = [
  [/uWebSockets\.js.uws\.js$/, `./uws_${process.platform}_${process.arch}_${process.versions.modules}.node`],
  [/lz4-napi.index\.js$/, addonLoadedBy('lz4-napi')],
];

function addonLoadedBy(library) {
  const require = createRequire(import.meta.url);
  require(library);
  return Object.keys(require.cache).find((path) => path.endsWith('.node') && path.includes(library));
}

const addons = {
  name: 'addons',
  setup({ onLoad }) {
    for (const [filter, addon] of ADDONS) {
      onLoad({ filter }, () => ({ contents: `module.exports = require(${JSON.stringify(addon)});` }));
    }
  },
};

/**
 * Addons that are done without: msgpackr decodes long strings slower, and finds its own in a way that no bundler follows;
 * Piscina cannot lower its threads' priority, which is not asked of it.
 */
const LEFT_OUT = ['msgpackr-extract', '@napi-rs/nice'];

/**
 * A module that is looked for and not found fails when it is asked for. Left to Node, it would be looked for beside the
 * unpacked files, in directories that others may write to. Libraries can do without: they ask within a `try`.
 */
const missingModules = {
  name: 'missing-modules',
  setup({ onResolve, onLoad, resolve }) {
    onResolve({ filter: /./ }, async ({ path, kind, pluginData, ...from }) => {
      if (pluginData === 'asked' || !['require-call', 'dynamic-import'].includes(kind)) return undefined;
      const { errors } = await resolve(path, { ...from, kind, pluginData: 'asked' });
      const isMissing = errors.length > 0 || LEFT_OUT.includes(path);
      return isMissing ? { path, namespace: 'missing' } : undefined;
    });
    onLoad({ filter: /./, namespace: 'missing' }, ({ path }) => ({
      contents: `throw new Error(${JSON.stringify(`${path} is not in this executable`)});`,
    }));
  },
};

const commonJs = { ...bundling, format: 'cjs', splitting: false };

/**
 * The program, its libraries and what it reads, below `directory`, in the places where a checkout has them. Resolves
 * with the files' paths.
 */
async function buildProgram(directory) {
  await build({
    ...bundling,
    entryPoints: serverEntryPoints,
    outdir: join(directory, 'dist'),
    loader: { '.node': 'copy' },
    plugins: [addons, missingModules],
    // For libraries that are CommonJS.
    banner: {
      js: [
        "import { createRequire as requireFrom } from 'node:module';",
        'const require = requireFrom(import.meta.url);',
        'const __dirname = import.meta.dirname;',
      ].join(' '),
    },
  });
  // Piscina starts its threads from this file, which it looks for in its own directory.
  const worker = join(dirname(createRequire(import.meta.url).resolve('piscina')), 'worker.js');
  await build({
    ...commonJs,
    entryPoints: [worker],
    outfile: join(directory, 'dist/worker.js'),
    plugins: [addons, missingModules],
  });
  await cp(SAMPLE, join(directory, SAMPLE));
  return [...(await readdir(join(directory, 'dist'))).map((name) => `dist/${name}`), SAMPLE];
}

/** Changes with any of the files. */
async function hashOf(directory, files) {
  const hash = createHash('sha256');
  for (const file of files) hash.update(`${file}\0`).update(await readFile(join(directory, file)));
  return hash.digest('hex').slice(0, 16);
}

/** The main script and its files in one, as Node wants it. Resolves with its path. */
async function buildBlob(directory) {
  const files = await buildProgram(directory);
  const place = (name) => join(directory, name);
  const [launcher, contents, config, blob] = ['launcher.cjs', 'contents.json', 'sea.json', 'blob'].map(place);
  // The main script of an executable cannot be an ES module.
  await build({ ...commonJs, entryPoints: ['src/cli/launcher.ts'], outfile: launcher });
  await writeFile(contents, JSON.stringify({ hash: await hashOf(directory, files), files }));
  const assets = {
    'contents.json': contents,
    ...Object.fromEntries(files.map((file) => [file, place(file)])),
  };
  const settings = { main: launcher, output: blob, disableExperimentalSEAWarning: true, assets };
  await writeFile(config, JSON.stringify(settings));
  runNode('--experimental-sea-config', config);
  return blob;
}

/** Its output is shown only when it fails: on success postject prints warnings about notes that it leaves alone. */
function runNode(...args) {
  execFileSync(process.execPath, args, { stdio: 'pipe' });
}

const target = process.argv[2] ?? 'dist/muster';
// Beside the target, which is replaced in one step, even while it runs.
const work = await mkdtemp(join(dirname(target), 'executable-'));
try {
  const executable = join(work, 'muster');
  await copyFile(process.execPath, executable);
  await chmod(executable, 0o755);
  const postject = fileURLToPath(import.meta.resolve('postject/dist/cli.js'));
  runNode(postject, executable, 'NODE_SEA_BLOB', await buildBlob(work), '--sentinel-fuse', FUSE);
  await rename(executable, target);
  const { size } = await stat(target);
  console.log(`${target}: ${Math.round(size / 2 ** 20)} MiB, Node ${process.version} inside`);
} finally {
  await rm(work, { recursive: true });
}
