/** @module What two apps of one system share: contracts, and no code. */
import { contract } from "troupe";
import { z } from "zod";

export const Text = z.object({ text: z.string() });
export const Writer = contract("Writer", 1, { input: Text, output: Text });
export const Painter = contract("Painter", 1, { input: Text, output: Text });
