/** @module The first import of the library's entry: names a zod that is too old before a module fails on what it lacks. */
import * as zod from "zod";

if (!("toJSONSchema" in zod)) throw new Error("Troupe needs zod 4, and this project has an older one: npm install zod@4");
