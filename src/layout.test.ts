import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';

/** The path of an event, and the direction of imports: a folder may import from itself and from those before it. */
const ORDER = [
  'base',
  'encoding',
  'log',
  'store',
  'ingest',
  'query',
  'live',
  'delivery',
  'tablet',
  'shard',
  'client',
  'server',
  'cli',
  'simulation',
];
/** Beside the order: the client runs in other people's programs and takes nothing of the server's. */
const CLIENT_MAY_IMPORT = ['base', 'client'];

const src = dirname(fileURLToPath(import.meta.url));

test('imports point one way', () => {
  expect(
    readdirSync(src, { withFileTypes: true })
      .filter((entry) => entry.isDirectory())
      .map(({ name }) => name)
      .sort(),
  ).toEqual([...ORDER].sort());
  const wrong = sourceFiles().flatMap((file) =>
    importsOf(file).flatMap((target) => {
      const [from, to] = [folderOf(file), folderOf(target)];
      const allowed =
        from === 'client' ? CLIENT_MAY_IMPORT.includes(to) : ORDER.indexOf(to) <= ORDER.indexOf(from);
      return allowed ? [] : [`${relative(src, file)} imports ${relative(src, target)}`];
    }),
  );
  expect(wrong).toEqual([]);
});

test('only the outermost layers touch clock, chance, disk and sockets', () => {
  const outer = ['server', 'cli', 'simulation'];
  const wrong = sourceFiles()
    .filter(
      (file) =>
        !outer.includes(folderOf(file)) &&
        !/^base\/(real|clock|random|directoryLock)/.test(relative(src, file)),
    )
    .filter((file) =>
      /Date\.now\(|Math\.random\(|performance\.now\(|from 'node:(fs|net|http|dgram)/.test(
        readFileSync(file, 'utf8'),
      ),
    )
    .map((file) => relative(src, file));
  expect(wrong).toEqual([]);
});

function sourceFiles(): string[] {
  return readdirSync(src, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && /(?<!\.(test|bench))\.ts$/.test(entry.name))
    .map((entry) => join(entry.parentPath, entry.name))
    .filter((file) => folderOf(file) !== '');
}

function importsOf(file: string): string[] {
  const imports = readFileSync(file, 'utf8').matchAll(/(?:from|import) '(\.[^']+)'/g);
  return [...imports]
    .map(([, path]) => resolve(dirname(file), path!))
    .filter((target) => target.startsWith(`${src}/`));
}

/** The folder below src; empty for files in src itself. */
function folderOf(file: string): string {
  const parts = relative(src, file).split('/');
  return parts.length > 1 ? parts[0]! : '';
}
