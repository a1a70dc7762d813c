/** @module Free loopback ports for the parts of a Dapr set. */
import { randomInt } from "node:crypto";
import { createServer } from "node:net";
import { LaunchError } from "./problem.ts";

/** The only address anything of ours listens on. */
export const LOOPBACK = "127.0.0.1";

/**
 * Ports are taken from below the range the kernel hands out to outgoing connections (32768 up on Linux, 49152 up on
 * macOS). A port of that range, which is what binding port 0 gives, can be taken by somebody's outgoing connection while
 * its part is dead, and then the part cannot come back where its peers look for it.
 */
const PORT_FIRST = 20_000;
const PORT_LAST = 32_000;
const TRIES_MAX = 500;

/** Ports given out by this process, so that two parts that start at the same time never get the same one. */
const given = new Set<number>();

/** Whether nothing listens on the port. The wildcard is tried too: some Dapr servers know no other address. */
export async function portFree(port: number): Promise<boolean> {
  return (await canListen(port, LOOPBACK)) && (await canListen(port, undefined));
}

/** A port nobody uses, remembered as given until `releasePort`. */
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
    fix: "End programs that hold ports there, or give the ports yourself.",
  });
}

/** Ports nobody uses. */
export async function freePorts(count: number): Promise<readonly number[]> {
  const ports: number[] = [];
  for (let index = 0; index < count; index++) ports.push(await freePort());
  return ports;
}

/** Marks ports as given, so that `freePort` does not choose them. */
export function claimPorts(ports: Iterable<number>): void {
  for (const port of ports) given.add(port);
}

/** Gives ports back. */
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
