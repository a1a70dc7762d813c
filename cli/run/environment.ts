/** @module What the environment says and HTTP cannot carry, or must not apply to this machine. */
import { CliError } from "../text/problem.ts";

const LOOPBACK = "127.0.0.1,localhost,::1";

/** Calls to this machine never go to a proxy: a fetch of Node with NODE_USE_ENV_PROXY would send them there. Also for what we start. */
export function exemptLoopback(env: NodeJS.ProcessEnv): void {
  // Each program reads one of the two.
  for (const name of ["NO_PROXY", "no_proxy"]) {
    const said = env[name];
    if (said !== "*") env[name] = said === undefined || said === "" ? LOOPBACK : `${said},${LOOPBACK}`;
  }
}

/**
 * Returns a token that a header can carry.
 * @throws USAGE that names the place, and not the token
 */
export function sendableToken(where: string, token: string): string {
  if (/^[\x21-\x7e]+$/.test(token)) return token;
  const what = /[\r\n]/.test(token) ? "a line break" : "a space or another character that no HTTP header can carry";
  throw new CliError("USAGE", `the token of ${where} contains ${what}.`, `Remove it: ${where}="$(tr -d '\\r\\n' < token.txt)"`);
}
