/** @module Free loopback ports for the parts of a run. */
import { randomInt } from "node:crypto";
import { createServer } from "node:net";
import { LaunchError } from "./problem.ts";

/** The only address on which our processes listen. */
export const LOOPBACK = "127.0.0.1";

/**
 * Ports below the range that the kernel uses for outgoing connections (from 32768 on Linux, from 49152 on macOS). Binding port 0
 * gives a port of that range; while its part is dead, an outgoing connection of another program could take it, and the part could
 * not come back where its peers look for it.
 */
const PORT_FIRST = 20_000;
const PORT_LAST = 32_000;
const TRIES_MAX = 500;

/** Ports that this process has given out, so that two parts that start at the same time get different ones. */
const given = new Set<number>();

/** Whether nothing listens on the port. Also tries the wildcard address, because some Dapr servers use only that. */
export async function portFree(port: number): Promise<boolean> {
  return (await canListen(port, LOOPBACK)) && (await canListen(port, undefined));
}

/** A free port, reserved until `releasePorts`. */
export async function freePort(): Promise<number> {
  for (let attempt = 0; attempt < TRIES_MAX; attempt++) {
    const port = randomInt(PORT_FIRST, PORT_LAST);
    if (given.has(port)) continue;
    given.add(port);
    if (await portFree(port)) return port;
    given.delete(port);
  }
  throw new LaunchError({
    code: "PORT_TAKEN",
    what: `no free port was found between ${PORT_FIRST} and ${PORT_LAST} in ${TRIES_MAX} tries.`,
    fix: "End programs that hold ports there, or set the ports yourself.",
  });
}

/** Free ports. */
export async function freePorts(count: number): Promise<readonly number[]> {
  const ports: number[] = [];
  for (let index = 0; index < count; index++) ports.push(await freePort());
  return ports;
}

/** Reserves ports, so that `freePort` does not choose them. */
export function claimPorts(ports: Iterable<number>): void {
  for (const port of ports) given.add(port);
}

/** Releases reserved ports. */
export function releasePorts(ports: Iterable<number>): void {
  for (const port of ports) given.delete(port);
}

function canListen(port: number, host: string | undefined): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once("error", () => resolve(false));
    const done = (): void => {
      server.close(() => resolve(true));
    };
    if (host === undefined) server.listen(port, done);
    else server.listen(port, host, done);
  });
}
