import { z } from 'zod';

// Before any schema is used: Zod would otherwise try whether it may compile one, which the page's policy refuses and the console shows.
z.config({ jitless: true });
