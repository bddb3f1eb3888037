import { defineConfig } from 'vitest/config';

/** Apart from the project's tests, since these need the rivals. */
export default defineConfig({ test: { include: ['*.test.ts'], pool: 'forks' } });
