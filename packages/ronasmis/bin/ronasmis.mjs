#!/usr/bin/env node
import { main } from '../dist/cli/main.js';

// A reader that closes the pipe early (`ronasmis show RUN | head`) is no defect.
process.stdout.on('error', (error) => process.exit(error.code === 'EPIPE' ? 0 : 1));
process.exitCode = await main(process.argv.slice(2));
