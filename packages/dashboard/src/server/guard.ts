import type { MiddlewareHandler } from 'hono';

/**
 * Nothing but what this server sends, and nothing of it elsewhere. Styles of the drawing library are set by scripts, not by markup; images and
 * fonts of the volume viewer come as data.
 */
const policyWith = (scripts: string): string =>
  [
    "default-src 'none'",
    `script-src ${scripts}`,
    "style-src 'self'",
    "img-src 'self' data: blob:",
    "font-src 'self' data:",
    "connect-src 'self' data: blob:",
    "worker-src 'self' blob:",
    "base-uri 'none'",
    "form-action 'none'",
    "frame-ancestors 'none'",
  ].join('; ');

/** What a page may do: the live page, or one that computes by WebAssembly, whose threads share memory where it is isolated from all others. */
const kinds = {
  live: { 'Content-Security-Policy': policyWith("'self'") },
  computing: {
    'Content-Security-Policy': policyWith("'self' 'wasm-unsafe-eval'"),
    'Cross-Origin-Embedder-Policy': 'require-corp',
  },
} as const;

const headers: Readonly<Record<string, string>> = {
  'X-Content-Type-Options': 'nosniff',
  'Referrer-Policy': 'no-referrer',
  'Cross-Origin-Opener-Policy': 'same-origin',
  'Cross-Origin-Resource-Policy': 'same-origin',
  'X-Frame-Options': 'DENY',
};

/**
 * Lets in who asks for this machine by its own name alone: a name of somewhere else that leads here (DNS rebinding) is refused, and so is what a
 * page of another origin asks to have done.
 */
export function guard(port: () => number, kind: keyof typeof kinds = 'live'): MiddlewareHandler {
  const all = Object.entries({ ...headers, ...kinds[kind] });
  return async (context, next) => {
    const hosts = ['127.0.0.1', 'localhost', '[::1]'].map((name) => `${name}:${port()}`);
    const [host = '', origin] = [context.req.header('host'), context.req.header('origin')];
    const isOurs = hosts.includes(host.toLowerCase()) && (origin === undefined || origin === `http://${host}`);
    if (!isOurs) return context.text('This page is for this machine alone.\n', 403);
    await next();
    for (const [name, value] of all) context.header(name, value);
    return undefined;
  };
}
