#!/usr/bin/env node
// `npx peili` in a checkout: the sources as they are. The published program is dist/peili.mjs.
await import('../../cli/main.ts');
