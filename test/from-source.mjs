// Lets a program and its threads run TypeScript: `node --import from-source.mjs program.ts`.
import { register } from 'node:module';

register('./typescript.mjs', import.meta.url);
