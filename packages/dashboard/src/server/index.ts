/**
 * The live page of searches, as a server on loopback.
 *
 * @module @ronasmis/dashboard
 */
export { type DashboardServer, type ServeOptions, serveDashboard } from './serve.ts';
